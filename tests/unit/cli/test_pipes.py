"""`-` is standard input where files are read, and standard output where they are written."""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path

import pytest

from fctry.cli.main import main
from fctry.nvs import Item, ItemType, encode

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FCTRY_STATE", str(tmp_path / "state"))
    shutil.copy(ROOT / "tests/data/nvs/article.csv", "device.csv")
    shutil.copy(ROOT / "partitions.csv", ".")
    shutil.copy(ROOT / "examples/factory.toml", ".")
    assert main(["image", "build", "device.csv", "-o", "device.bin"]) == 0
    assert main(["layout", "build", "partitions.csv", "-o", "table.bin"]) == 0


@pytest.mark.parametrize(
    ("command", "read"),
    [
        ("image build {} -o FILE", "device.csv"),
        ("image csv {} -o FILE", "device.bin"),
        ("image show {} --svg FILE", "device.bin"),
        ("layout build {} -o FILE", "partitions.csv"),
        ("layout read {} -o FILE", "table.bin"),
        ("layout show {} --svg FILE", "partitions.csv"),
    ],
)
def test_pipe_gets_what_a_file_gets_and_nothing_else(
    command: str, read: str, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert main(command.format(read).split()) == 0
    written = Path("FILE").read_bytes()
    capsysbinary.readouterr()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(Path(read).read_bytes())))
    assert main(command.format("-").replace("FILE", "-").split()) == 0
    captured = capsysbinary.readouterr()
    assert captured.out == written.replace(read.encode(), b"-")  # a picture names it
    assert captured.err == b""


@pytest.mark.parametrize(
    ("command", "read"),
    [
        ("image show -", "device.bin"),
        ("image check -", "device.bin"),
        ("image capacity -", "device.csv"),
        ("image diff - device.bin", "device.bin"),
        ("layout check -", "partitions.csv"),
        ("layout check --against - partitions.csv", "table.bin"),
        ("spec check -", "factory.toml"),
        ("batch - --count 1 -o images", "factory.toml"),
    ],
)
def test_standard_input_is_read_wherever_a_file_is(
    command: str, read: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(Path(read).read_bytes())))
    assert main(command.split()) == 0


@pytest.mark.parametrize("command", ["spec new -o -", "image keys -o -"])
def test_what_is_made_of_nothing_goes_to_standard_output_alone(
    command: str, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    capsysbinary.readouterr()
    assert main(command.split()) == 0
    made = capsysbinary.readouterr()
    assert len(made.out) == 4096 if "keys" in command else b'product = "my-product"' in made.out
    assert made.err == b""
    assert not Path("-").exists()


def test_label_printer_is_fed_by_a_pipe(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["batch", "factory.toml", "--count", "1", "-o", "images"]) == 0
    capsysbinary.readouterr()
    label = ["label", "--batch", "images", "--qr", "{serial_number}", "-o", "-"]
    assert main(label) == 1
    assert b"end the name in .svg or .pdf or .zpl" in capsysbinary.readouterr().err
    assert main([*label, "--format", "zpl"]) == 0
    out = capsysbinary.readouterr().out
    assert out.startswith(b"^XA")
    assert out.endswith(b"^XZ\n")


def test_values_that_need_files_of_their_own_are_not_for_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    Path("odd.bin").write_bytes(encode([Item("n", "k", ItemType.STR, "a\nb\r\n")], 0x3000))
    assert main(["image", "csv", "odd.bin"]) == 1
    assert "give a file with -o" in capsys.readouterr().err
