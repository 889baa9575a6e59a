from __future__ import annotations

import json
from pathlib import Path

import pytest

from fctry.cli.main import main

DATA = Path(__file__).parents[2] / "data" / "nvs"
HEADER = "key,type,encoding,value\n"
TOO_MANY = "".join(f"k{i},data,u8,1\n" for i in range(260))


def test_build_makes_the_generators_image(tmp_path: Path) -> None:
    output = tmp_path / "device.bin"
    assert main(["image", "build", str(DATA / "article.csv"), "-o", str(output), "--size", "0x6000"]) == 0
    assert output.read_bytes() == (DATA / "article.bin").read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["device.bin"]


def test_build_takes_the_size_from_the_partition_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("partitions.csv").write_text("nvs,data,nvs,0x9000,0x3000\nfctry,data,nvs,0x10000,0x2000,readonly\n")
    assert main(["image", "build", str(DATA / "article.csv"), "-o", "device.bin"]) == 0
    assert Path("device.bin").stat().st_size == 0x2000


def test_build_says_what_is_missing_when_no_size_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["image", "build", str(DATA / "article.csv"), "-o", "device.bin"]) == 1
    assert "hint: give --size 0x6000" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("key,type,value\n", ":1: column 'encoding' is missing"),
        (HEADER + "n,namespace,,\nk,data,u8,256\n", ":3: key 'k': number out of range"),
        (HEADER + "k,data,u8,1\n", ":2: key 'k' before any namespace"),
        (
            HEADER + "n,namespace,,\n" + "".join(f"k{i},data,u8,1\n" for i in range(260)),
            ":254: key 'k251' does not fit",
        ),
    ],
)
def test_bad_csv_writes_nothing_and_keeps_what_was_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, place: str
) -> None:
    csv, output = tmp_path / "device.csv", tmp_path / "device.bin"
    csv.write_text(text)
    output.write_bytes(b"before")
    assert main(["image", "build", str(csv), "-o", str(output), "--size", "0x3000"]) == 1
    error = capsys.readouterr().err
    assert f"error: {csv}{place}" in error
    assert "\nhint: " in error
    assert output.read_bytes() == b"before"
    assert len(list(tmp_path.iterdir())) == 2


def test_missing_csv_and_folder_are_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nowhere = tmp_path / "no" / "device"
    assert main(["image", "build", f"{nowhere}.csv", "-o", str(tmp_path / "x"), "--size", "0x3000"]) == 1
    assert (
        main(["image", "build", str(DATA / "article.csv"), "-o", f"{nowhere}.bin", "--size", "0x3000"]) == 1
    )
    assert main(["image", "show", f"{nowhere}.bin"]) == 1
    assert capsys.readouterr().err.count("No such file or directory") == 3
    assert list(tmp_path.iterdir()) == []


def test_show_tells_namespace_key_type_and_value(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["image", "show", str(DATA / "article.bin")]) == 0
    out = capsys.readouterr().out
    for word in ("fctryNamespace", "serial_number", "str", "164589345735", "mac_addr", "0A:0B:0C:0D:0E:0F"):
        assert word in out


def test_show_json_is_data(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["image", "show", "--json", str(DATA / "article.bin")]) == 0
    assert json.loads(capsys.readouterr().out)[0] == {
        "namespace": "fctryNamespace",
        "key": "serial_number",
        "type": "str",
        "value": "164589345735",
        "page": 0,
        "entry": 1,
    }
