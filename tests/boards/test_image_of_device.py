"""`fctry image …` reads a connected device as it reads its dump."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fctry.boards import Board
from fctry.cli.main import main
from fctry.nvs import Item, ItemType, encode
from fctry.partitions.binary import pack
from fctry.partitions.csv import parse_csv

TABLE = parse_csv(
    "nvs,data,nvs,0x9000,0x4000\nfctry,data,nvs,0x10000,0x6000,readonly\napp,app,factory,0x20000,1M\n"
)
SERIAL = Item("fctryNamespace", "serial_number", ItemType.STR, "16")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def board(folder: Path) -> Iterator[Board]:
    board = Board(folder / "flash.bin", [])
    board.flash.program(0x8000, pack(TABLE))
    for name, value in (("fctry", "16"), ("nvs", "user")):
        partition = TABLE.find(name)
        board.flash.program(partition.offset, encode([replace(SERIAL, value=value)], partition.size_bytes))
    with board:
        yield board


@pytest.mark.parametrize("command", ["show --json", "check", "csv", "csv --partition nvs", "diff fctry.bin"])
def test_device_is_read_as_its_dump_is(
    board: Board, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    Path("fctry.bin").write_bytes(encode([replace(SERIAL, value="17")], 0x6000))
    Path("dump.bin").write_bytes(board.flash.read(0, 0x400000))
    name, *others = command.split()
    answers = []
    for source in (["dump.bin"], ["--port", board.url]):
        code = main(["image", name, *others, *source])
        answers.append((code, capsys.readouterr().out.replace(source[-1], "SOURCE")))
    assert answers[0] == answers[1]
    assert answers[0][1]


def test_table_of_a_device_may_be_elsewhere(
    board: Board, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    board.flash.program(0x8000, bytes(32))
    board.flash.program(0xF000, pack(TABLE))
    assert main(["image", "csv", "--port", board.url]) == 1
    assert "no partition entry" in capsys.readouterr().err
    (folder / "fctry.toml").write_text("table-offset = 0xF000\n")
    assert main(["image", "csv", "--port", board.url]) == 0
    assert "serial_number,data,string,16" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["x.bin", "--port", "p"]])
@pytest.mark.parametrize("command", ["show", "check", "csv"])
def test_image_or_port_is_wanted_and_not_both(
    capsys: pytest.CaptureFixture[str], command: str, arguments: list[str]
) -> None:
    assert main(["image", command, *arguments]) == 2
    assert "give an image or --port, one of them" in capsys.readouterr().err
