"""A board with the stand-in firmware, its console, and esptool's own command line."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import esptool
import pytest

from fctry import serialport
from fctry.boards import Board
from fctry.boards.served_board import ServedBoard
from tests.boards.kit import Console, RunEsptool, install, make_build


@pytest.fixture(autouse=True, scope="session")
def _fast_client() -> None:
    serialport.register()


@pytest.fixture(scope="session")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build folder of the stand-in firmware."""
    source = Path(__file__).with_name("standin.py").read_text(encoding="utf-8")
    return make_build(tmp_path_factory.mktemp("standin"), "standin", f"#!{sys.executable} -ISs\n{source}")


@pytest.fixture
def blank_board(standin: Path, tmp_path: Path) -> Iterator[Board]:
    """A board whose flash is erased."""
    with Board(tmp_path / "flash.bin", [standin]) as board:
        yield board


@pytest.fixture
def installed_board(standin: Path, tmp_path: Path) -> Iterator[Board]:
    """A board that runs the stand-in firmware."""
    with install(Board(tmp_path / "flash.bin", [standin]), standin) as board:
        yield board


@pytest.fixture
def console(installed_board: Board) -> Iterator[Console]:
    """A monitor on the installed board, with its firmware just started."""
    opened = Console(installed_board.url)
    opened.reset()
    opened.expect("standin pid=")
    yield opened
    opened.close()


@pytest.fixture
def run_esptool(capsys: pytest.CaptureFixture[str], esptool_traces_nothing: None) -> RunEsptool:
    """Run esptool's own command line in this process, as in `run_esptool(board, "flash-id")`: returns its words."""

    def run(board: ServedBoard, *arguments: str | Path) -> str:
        chip = ["--chip", board.chip.name] if isinstance(board, Board) else []
        esptool.main([*chip, "--port", board.url, *map(str, arguments)])
        return capsys.readouterr().out

    return run
