"""Whatever goes wrong, nobody is called proven who is not, and the next try succeeds: fault plans by their seeds.

The long runs are made by hand: `python -m tests.boards.faulty_station`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from fctry.boards import Tear
from tests.boards.faulty_station import FaultyStation, try_cut, try_kill, try_plan

SEEDS = (2, 6, 12, 231, 239)  # of 510; these are quick
OPERATIONS = {1: Tear.ZEROING, 2: Tear.WORD, 32: Tear.ERASING, 33: Tear.NIBBLE}  # of 33


@pytest.mark.parametrize("seed", SEEDS)
def test_device_is_proven_after_whatever_went_wrong(seed: int, tmp_path: Path) -> None:
    try_plan(seed, tmp_path)


@pytest.mark.parametrize(("operation", "tear"), OPERATIONS.items())
def test_device_is_proven_after_a_power_cut(operation: int, tear: Tear, tmp_path: Path) -> None:
    assert try_cut(operation, tear, tmp_path)


def test_station_that_was_killed_goes_on(tmp_path: Path) -> None:
    assert try_kill(4, tmp_path)


def test_board_with_a_smaller_flash_is_refused(tmp_path: Path) -> None:
    station = FaultyStation(tmp_path)
    with station.board(["smaller-flash size=1MB"]) as board:
        tried = station.attempt(board)
        assert tried is not None
        assert tried[1].failed is not None
        assert "the flash has 0x100000 bytes" in tried[1].failed.error
        assert board.flash.read(0, 1 << 20).count(0xFF) == 1 << 20
