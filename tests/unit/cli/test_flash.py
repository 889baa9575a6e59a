"""`fctry flash`: what is wrong is said with place and remedy, before anything is written."""

import socket
import struct
from pathlib import Path

import pytest

from fctry import nvs
from fctry.cli.flash import load_image
from fctry.cli.main import main
from fctry.partitions import binary
from fctry.partitions.csv import read_csv

DEVICE = "key,type,encoding,value\nfctryNamespace,namespace,,\nserial_number,data,string,1\n"
LAYOUT = (
    "nvs,data,nvs,0x9000,0x6000,\nfctry,data,nvs,0x10000,0x6000,readonly\nfactory,app,factory,0x20000,1M,\n"
)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "device.csv").write_text(DEVICE)
    (tmp_path / "partitions.csv").write_text(LAYOUT)
    return tmp_path


def error_of(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[str, str]:
    assert main(["flash", *map(str, arguments)]) == 3
    out, err = capsys.readouterr()
    assert out == ""
    error, hint = err.splitlines()
    assert error.startswith("error: ")
    assert hint.startswith("hint: ")
    return error, hint


def test_layout_without_factory_partition_is_refused(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "partitions.csv").write_text(LAYOUT.replace("fctry,", "other,").replace("readonly", ""))
    error, hint = error_of(capsys, "device.csv", "--port", "unused")
    assert "partitions.csv" in error
    assert "fctry" in error
    assert "fctry" in hint


def test_layout_that_does_not_exist_is_refused(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    error, _ = error_of(capsys, "device.csv", "--port", "unused", "--partitions", "none.csv")
    assert "none.csv" in error


def test_image_that_does_not_exist_is_refused(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    error, hint = error_of(capsys, "device.bin", "--port", "unused")
    assert "device.bin" in error
    assert "fctry image build" in hint


def test_spec_or_csv_by_another_name_is_refused_with_what_is_taken(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "device.txt").write_text(DEVICE)
    _, hint = error_of(capsys, "device.txt", "--port", "unused")
    assert "ends in .csv, and a spec is for `fctry provision`" in hint


def test_spec_in_capital_letters_is_one_to_verify(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "FACTORY.TOML").write_text("schema = 1\n")
    assert main(["verify", "FACTORY.TOML", "--port", "unused"]) == 3
    assert "NVS partition" not in capsys.readouterr().err


def test_image_larger_than_the_partition_is_refused(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["image", "build", "device.csv", "-o", "device.bin", "--size", "0x7000"])
    capsys.readouterr()
    error, hint = error_of(capsys, "device.bin", "--port", "unused")
    assert "0x7000" in error
    assert "--size 0x6000" in hint


def test_port_that_nobody_serves_is_an_error(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    error, hint = error_of(capsys, "device.csv", "--port", f"rfc2217://127.0.0.1:{port}")
    assert str(port) in error
    assert "Start the board" in hint


def test_port_that_does_not_exist_is_an_error(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    error, hint = error_of(capsys, "device.csv", "--port", "/dev/ttyNONE")
    assert "/dev/ttyNONE" in error
    assert "connect the board" in hint


@pytest.mark.parametrize("source", ["device.csv", "device.bin"])
def test_with_keys_the_image_is_encrypted_and_its_items_are_known(project: Path, source: str) -> None:
    keys = nvs.Keys.generate()
    (project / "keys.bin").write_bytes(keys.to_partition())
    partition = read_csv(project / "partitions.csv").find("fctry")
    main(["image", "build", "device.csv", "-o", "device.bin", "--keys", "keys.bin"])
    data, items = (made := load_image(project / source, partition, keys)).data, made.items
    assert data == (project / "device.bin").read_bytes()
    assert b"serial_number" not in data
    assert [(item.key, item.value) for item in items] == [("serial_number", "1")]


def test_encrypted_image_without_keys_is_refused(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["image", "keys", "-o", "keys.bin"])
    main(["image", "build", "device.csv", "-o", "device.bin", "--keys", "keys.bin"])
    capsys.readouterr()
    error, hint = error_of(capsys, "device.bin", "--port", "unused")
    assert error.startswith("error: device.bin: ")
    assert "nvs-encrypted" in error
    assert "--keys" in hint


@pytest.mark.parametrize("is_encrypted", [True, False])
def test_wrong_keys_are_refused_as_such(
    project: Path, capsys: pytest.CaptureFixture[str], is_encrypted: bool
) -> None:
    main(["image", "keys", "-o", "keys.bin"])
    main(["image", "keys", "-o", "other.bin"])
    main(["image", "build", "device.csv", "-o", "device.bin", *(["--keys", "keys.bin"] * is_encrypted)])
    capsys.readouterr()
    error, hint = error_of(capsys, "device.bin", "--port", "unused", "--keys", "other.bin")
    assert error.startswith("error: device.bin: ")
    assert "nvs-wrong-key" in error
    assert "keys of another partition" in hint


@pytest.mark.parametrize("name", ["factory", "phy"])
def test_partition_that_is_not_nvs_is_refused(
    project: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (project / "partitions.csv").write_text(
        LAYOUT.replace("fctry,", "phy,data,phy,0xf000,0x1000,\nfctry,", 1)
    )
    error, hint = error_of(capsys, "device.csv", "--port", "unused", "--partition", name)
    assert f"`{name}` is not of type data, nvs" in error
    assert "nvs, fctry" in hint


def test_csv_is_flashed_as_the_image_that_build_makes_of_it(project: Path) -> None:
    (project / "device.csv").write_text(
        "key,type,encoding,value\nempty,namespace,,\n" + DEVICE.partition("\n")[2]
    )
    assert main(["image", "build", "device.csv", "-o", "device.bin"]) == 0
    partition = read_csv(project / "partitions.csv").find("fctry")
    assert load_image(project / "device.csv", partition).data == (project / "device.bin").read_bytes()


EMPTY = {
    "header.csv": b"key,type,encoding,value\n",
    "namespace.csv": b"key,type,encoding,value\nfctryNamespace,namespace,,\n",
    "blank.bin": b"\xff" * 0x6000,
}


@pytest.mark.parametrize("name", EMPTY)
@pytest.mark.parametrize("has_keys", [True, False])
def test_image_without_keys_is_refused(
    project: Path, capsys: pytest.CaptureFixture[str], name: str, has_keys: bool
) -> None:
    main(["image", "keys", "-o", "keys.bin"])
    capsys.readouterr()
    (project / name).write_bytes(EMPTY[name])
    error, _ = error_of(capsys, name, "--port", "unused", *(["--keys", "keys.bin"] * has_keys))
    assert error == f"error: {name}: no keys in it"


def test_items_of_a_csv_are_those_of_its_image(project: Path) -> None:
    rows = "gain,data,float,0.1\ntext,data,string,a\nother,namespace,,\nfill,data,blob_fill(3;0x00),a\n"
    (project / "device.csv").write_text(DEVICE + rows)
    made = load_image(project / "device.csv", read_csv(project / "partitions.csv").find("fctry"))
    assert list(made.items) == nvs.decode(made.data)
    items = made.items
    assert [item.key for item in items] == ["serial_number", "gain", "text", "fill"]
    assert items[1].value == struct.unpack("<f", struct.pack("<f", 0.1))[0]


@pytest.mark.parametrize(
    ("option", "value"),
    [(option, value) for option in ("--baud", "--timeout") for value in ("0", "-1", "x", "nan", "")]
    + [("--baud", "1.5"), ("--timeout", "-0.0"), ("--timeout", "-inf")],
)
def test_number_that_makes_no_sense_is_an_error_of_usage(
    project: Path, capsys: pytest.CaptureFixture[str], option: str, value: str
) -> None:
    assert main(["flash", "device.csv", "--port", "unused", f"{option}={value}"]) == 2
    assert f"{value!r} is no" in capsys.readouterr().err


def test_image_that_a_read_only_partition_does_not_get_over_is_refused(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["image", "build", "device.csv", "-o", "device.bin"])
    capsys.readouterr()
    with (project / "device.bin").open("r+b") as image:
        image.seek(0x1064)
        image.write(b"\0")
    error, _ = error_of(capsys, "device.bin", "--port", "unused")
    assert "nvs-page-not-erased" in error


def test_dump_of_a_whole_flash_has_the_image_in_its_partition(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = read_csv(project / "partitions.csv")
    image = nvs.encode([nvs.Item("fctryNamespace", "serial_number", nvs.ItemType("str"), "1")], 0x6000)
    dump = bytearray(b"\xff" * 0x200000)
    dump[0x8000:0x9000] = binary.pack(table).ljust(0x1000, b"\xff")
    dump[0x10000:0x16000] = image
    (project / "dump.bin").write_bytes(dump)
    loaded = load_image(project / "dump.bin", table.find("fctry"))
    assert loaded.data == image
    assert [item.value for item in loaded.items] == ["1"]
    assert "dump.bin: `fctry` at 0x10000" in capsys.readouterr().err
    (project / "dump.bin").write_bytes(b"\xff" * 0x200000)
    error, hint = error_of(capsys, "dump.bin", "--port", "unused")
    assert "dump.bin: no partition table" in error
    assert hint
