"""The partition table of a board, read through its serial port by esptool."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from fctry.boards import Board
from fctry.cli.main import main
from fctry.partitions.binary import pack
from fctry.partitions.csv import parse_csv
from fctry.partitions.table import TABLE_OFFSET

TABLE = "nvs,data,nvs,0x9000,0x6000\nfctry,data,nvs,0x10000,0x6000,readonly\napp,app,factory,0x20000,1M\n"


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    flash = bytearray(b"\xff" * (4 << 20))
    table = pack(parse_csv(TABLE))
    flash[TABLE_OFFSET : TABLE_OFFSET + len(table)] = table
    path = tmp_path / "flash.bin"
    path.write_bytes(flash)
    with Board(path, []) as board:
        yield board


def test_read_shows_the_table_of_a_board(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["layout", "read", "--port", board.url]) == 0
    assert parse_csv(capsys.readouterr().out).partitions == parse_csv(TABLE).partitions


def test_check_compares_the_table_of_a_board(
    board: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "table.csv"
    path.write_text(TABLE)
    assert main(["layout", "check", str(path), "--port", board.url]) == 0
    path.write_text(TABLE.replace("0x10000", "0x18000"))
    capsys.readouterr()
    assert main(["layout", "check", "--json", str(path), "--port", board.url]) == 1
    found = json.loads(capsys.readouterr().out)["findings"]
    assert [(finding["code"], finding["line"]) for finding in found] == [("layout-device", 2)]


def test_board_without_a_table_is_an_error_that_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Board(tmp_path / "flash.bin", []) as board:
        assert main(["layout", "read", "--port", board.url]) == 1
    error = capsys.readouterr().err
    assert f"error: {board.url}: at 0x0: no partition entry" in error
    assert "hint: " in error
