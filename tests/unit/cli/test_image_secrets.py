"""`fctry image …` shows no secret that it is not asked to show."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fctry.cli.main import main
from fctry.nvs import Item, ItemType, encode

ITEMS = [
    Item("public", "serial", ItemType.STR, "SN-1"),
    Item("secrets", "password", ItemType.STR, "correct horse"),
    Item("secrets", "key", ItemType.BLOB, b"battery"),
    Item("secrets", "pin", ItemType.U32, 24686420),
]
VALUES = ("correct horse", b"battery".hex(), "YmF0dGVyeQ==", "24686420")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("device.bin").write_bytes(encode(ITEMS, 0x3000))
    Path("other.bin").write_bytes(encode([ITEMS[0], Item("secrets", "pin", ItemType.U32, 11223344)], 0x3000))
    return tmp_path


SHOWING = [
    ["show", "device.bin"],
    ["show", "device.bin", "--full", "--erased"],
    ["show", "device.bin", "--json"],
    ["diff", "device.bin", "other.bin"],
    ["diff", "device.bin", "other.bin", "--json"],
]


@pytest.mark.parametrize("arguments", SHOWING, ids=" ".join)
def test_values_of_secrets_are_masked_unless_they_are_asked_for(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    main(["image", *arguments])
    captured = capsys.readouterr()
    assert not any(value in captured.out + captured.err for value in (*VALUES, "11223344"))
    assert "password" in captured.out
    main(["image", *arguments, "--secrets"])
    out = capsys.readouterr().out
    assert "correct horse" in out
    assert "24686420" in out


def test_public_values_are_shown(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["image", "show", "device.bin"])
    assert "SN-1" in capsys.readouterr().out
    main(["image", "show", "device.bin", "--json"])
    items = {item["key"]: item for item in json.loads(capsys.readouterr().out)}
    assert items["serial"]["value"] == "SN-1"
    assert items["pin"]["secret"] is True
    assert "value" not in items["pin"]


def test_old_value_of_a_secret_is_masked_too(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image = bytearray(encode([Item("secrets", "pin", ItemType.STR, "old pin")], 0x3000))
    image[32] &= 0b11_00_00_11
    Path("device.bin").write_bytes(image)
    main(["image", "show", "device.bin", "--erased"])
    out = capsys.readouterr().out
    assert "0:1 erased  (secret)" in out
    assert "old pin" not in out


@pytest.mark.parametrize("output", [[], ["-o", "device.csv"]])
def test_csv_of_secrets_is_refused_unless_it_is_asked_for(
    folder: Path, capsys: pytest.CaptureFixture[str], output: list[str]
) -> None:
    assert main(["image", "csv", "device.bin", *output]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "error: device.bin: there are secrets in it, such as 'password' in 'secrets'" in captured.err
    assert not any(value in captured.err for value in VALUES)
    assert not Path("device.csv").exists()
    assert main(["image", "csv", "device.bin", "--secrets", "-o", "device.csv"]) == 0
    assert main(["image", "build", "device.csv", "-o", "again.bin", "--size", "0x3000"]) == 0
    assert Path("again.bin").read_bytes() == Path("device.bin").read_bytes()


def test_project_says_what_is_secret(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("fctry.toml").write_text('secret-namespaces = ["public"]\n')
    main(["image", "show", "device.bin"])
    out = capsys.readouterr().out
    assert "SN-1" not in out
    assert "correct horse" in out
