"""The root conftest.py chooses the board: what a person gets who asks for one, as a process of its own."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from fctry.boards import Board
from fctry.boards.app_image import AppDescription, pack
from fctry.device import flasher
from fctry.partitions import binary
from fctry.partitions.csv import read_csv
from fctry.partitions.table import TABLE_OFFSET

ROOT = Path(__file__).parents[2]
NATIVE_BUILD = ROOT / "firmware" / "native" / "build"


def run_suite(*arguments):
    command = [sys.executable, "-m", "pytest", "tests/device", "-k", "article_keys", "-p", "no:cacheprovider"]
    return subprocess.run([*command, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=100)


@pytest.fixture
def connected_board(tmp_path):
    """A simulated board in the place of one that is connected by USB."""
    with Board(tmp_path / "board.bin", [NATIVE_BUILD]) as board:
        yield board


def test_no_board_connected_ends_at_once_with_the_choices():
    done = run_suite("--target", "esp32")
    assert done.returncode != 0
    assert "no board is connected" in done.stderr
    assert "--port" in done.stderr
    assert "--board native" in done.stderr


def test_connected_board_is_tested_and_the_suite_says_what_it_erases(connected_board):
    done = run_suite(
        "--target", "esp32", "--port", connected_board.url, "--app-path", str(NATIVE_BUILD.parent)
    )
    assert done.returncode == 0, done.stdout
    assert f"board: {connected_board.url}. The device suite writes its partition table" in done.stdout
    assert "1 passed" in done.stdout


def test_connected_board_with_another_application_is_not_touched_without_yes(connected_board):
    table = read_csv(ROOT / "partitions.csv")
    other = pack(AppDescription("thermostat", "1", "v5.5", hashlib.sha256(b"").digest()))
    with flasher.connect(connected_board.url) as chip:
        chip.write([(TABLE_OFFSET, binary.pack(table)), (table.find("factory").offset, other)])
    before = connected_board.flash.read(0, connected_board.flash.size_bytes)

    arguments = ("--port", connected_board.url, "--app-path", str(NATIVE_BUILD.parent))
    done = run_suite(*arguments)
    assert done.returncode != 0
    assert "holds another application: thermostat" in done.stdout + done.stderr
    assert connected_board.flash.read(0, connected_board.flash.size_bytes) == before

    assert run_suite(*arguments, "--yes").returncode == 0


def test_build_that_is_missing_is_named_with_its_remedy(tmp_path):
    done = run_suite("--app-path", str(tmp_path))
    assert done.returncode != 0
    assert f"{tmp_path / 'build'} is not built: make native" in done.stdout
