"""Unmodified esptool's own command line against the board: what users do with a board, they do with this one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from esptool.util import FatalError

from fctry.boards import Board
from fctry.boards.chip.chips import CHIPS
from tests.boards.kit import RunEsptool

IMAGE_ADDRESS = 0x20000
STUB, ROM = [], ["--no-stub"]


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """12 KiB and a bit, half of it compressible."""
    path = tmp_path / "image.bin"
    path.write_bytes(os.urandom(6000) + bytes(6500))
    return path


@pytest.fixture(params=[STUB, ROM], ids=["stub", "rom"])
def loader(request: pytest.FixtureRequest) -> list[str]:
    options: list[str] = request.param
    return options


def test_flash_id(blank_board: Board, run_esptool: RunEsptool, loader: list[str]) -> None:
    said = run_esptool(blank_board, *loader, "flash-id")
    assert "ESP32-D0WD-V3 (revision v3.0)" in said
    assert "Crystal frequency:  40MHz" in said
    assert "Detected flash size: 4MB" in said


def test_read_mac(blank_board: Board, run_esptool: RunEsptool, loader: list[str]) -> None:
    assert f"MAC:                {blank_board.mac.hex(':')}" in run_esptool(blank_board, *loader, "read-mac")


def test_chip_id(blank_board: Board, run_esptool: RunEsptool, loader: list[str]) -> None:
    assert blank_board.mac.hex(":") in run_esptool(blank_board, *loader, "chip-id")


@pytest.mark.parametrize("compression", ["--compress", "--no-compress"])
def test_write_flash(
    blank_board: Board, run_esptool: RunEsptool, loader: list[str], compression: str, image: Path
) -> None:
    blank_board.flash.program(IMAGE_ADDRESS, bytes(16384))
    said = run_esptool(blank_board, *loader, "write-flash", compression, hex(IMAGE_ADDRESS), image)
    assert "Hash of data verified." in said
    content = image.read_bytes()
    assert blank_board.flash.read(IMAGE_ADDRESS, len(content)) == content
    assert blank_board.flash.wear(IMAGE_ADDRESS).erases == 1
    assert blank_board.flash.wear(IMAGE_ADDRESS - 1).erases == 0


def test_write_flash_at_an_address_inside_of_a_sector(
    blank_board: Board, run_esptool: RunEsptool, loader: list[str], image: Path
) -> None:
    assert "Hash of data verified." in run_esptool(blank_board, *loader, "write-flash", "0x20100", image)
    assert blank_board.flash.read(0x20100, 6000) == image.read_bytes()[:6000]


def test_write_flash_of_two_images_at_a_higher_baud_rate(
    blank_board: Board, run_esptool: RunEsptool, loader: list[str], image: Path
) -> None:
    run_esptool(blank_board, *loader, "--baud", "921600", "write-flash", "0x20000", image, "0x30000", image)
    for address in (0x20000, 0x30000):
        assert blank_board.flash.read(address, 6000) == image.read_bytes()[:6000]


def test_write_flash_beyond_the_chip_is_refused(
    blank_board: Board, run_esptool: RunEsptool, image: Path
) -> None:
    with pytest.raises(FatalError, match="will not fit"):
        run_esptool(blank_board, "write-flash", "0x3ff000", image)
    assert blank_board.flash.wear(0x3FF000).erases == 0


def test_verify_flash(blank_board: Board, run_esptool: RunEsptool, loader: list[str], image: Path) -> None:
    blank_board.flash.program(IMAGE_ADDRESS, image.read_bytes())
    said = run_esptool(blank_board, *loader, "verify-flash", hex(IMAGE_ADDRESS), image)
    assert "Verification successful" in said


def test_verify_flash_of_something_else_fails(
    blank_board: Board, run_esptool: RunEsptool, loader: list[str], image: Path
) -> None:
    with pytest.raises(FatalError, match="Verification failed"):
        run_esptool(blank_board, *loader, "verify-flash", hex(IMAGE_ADDRESS), image)


def test_read_flash(blank_board: Board, run_esptool: RunEsptool, loader: list[str], tmp_path: Path) -> None:
    blank_board.flash.program(IMAGE_ADDRESS, bytes(range(256)) * 40)
    run_esptool(blank_board, *loader, "read-flash", hex(IMAGE_ADDRESS + 3), "9999", tmp_path / "read.bin")
    assert (tmp_path / "read.bin").read_bytes() == blank_board.flash.read(IMAGE_ADDRESS + 3, 9999)


def test_read_flash_of_the_whole_chip(tmp_path: Path, run_esptool: RunEsptool) -> None:
    with Board(tmp_path / "flash.bin", flash_size_bytes=1 << 20) as board:
        board.flash.program(0xFFFF0, b"the very end....")
        run_esptool(board, "read-flash", "0", "ALL", tmp_path / "read.bin")
        assert (tmp_path / "read.bin").read_bytes() == board.flash.read(0, 1 << 20)


def test_erase_region(blank_board: Board, run_esptool: RunEsptool, loader: list[str]) -> None:
    blank_board.flash.program(IMAGE_ADDRESS, bytes(4 * 4096))
    run_esptool(blank_board, *loader, "erase-region", hex(IMAGE_ADDRESS + 4096), "0x2000")
    expected = bytes(4096) + b"\xff" * 8192 + bytes(4096)
    assert blank_board.flash.read(IMAGE_ADDRESS, 4 * 4096) == expected


def test_erase_flash(blank_board: Board, run_esptool: RunEsptool) -> None:
    blank_board.flash.program(0, bytes(1000))
    run_esptool(blank_board, "erase-flash")
    assert blank_board.flash.read(0, blank_board.flash.size_bytes) == b"\xff" * blank_board.flash.size_bytes


def test_run(installed_board: Board, run_esptool: RunEsptool, loader: list[str]) -> None:
    run_esptool(installed_board, *loader, "run")


def test_connection_to_a_running_stub_without_reset(blank_board: Board, run_esptool: RunEsptool) -> None:
    run_esptool(blank_board, "--after", "no-reset-stub", "flash-id")
    said = run_esptool(blank_board, "--before", "no-reset", "flash-id")
    assert "Stub flasher is already running" in said


def test_connection_to_the_loader_without_reset(blank_board: Board, run_esptool: RunEsptool) -> None:
    run_esptool(blank_board, "--after", "no-reset", "flash-id")  # leaves the stub for the ROM's loader
    said = run_esptool(blank_board, "--before", "no-reset", "flash-id")
    assert "Uploading stub flasher" in said


def test_write_and_read_of_the_status_registers(blank_board: Board, run_esptool: RunEsptool) -> None:
    run_esptool(blank_board, "write-flash-status", "--bytes", "2", "0x0200")
    assert "0x0200" in run_esptool(blank_board, "read-flash-status", "--bytes", "2")


@pytest.mark.parametrize("name", [name for name in CHIPS if name != "esp32"])
def test_other_chips_are_detected_written_and_read(
    name: str, tmp_path: Path, image: Path, run_esptool: RunEsptool, loader: list[str]
) -> None:
    with Board(tmp_path / "flash.bin", chip=name) as board:
        said = run_esptool(board, "--chip", "auto", *loader, "write-flash", "0x1000", image)
        assert (
            f"MAC:                {board.mac.hex(':')}" in said
            or f"BASE MAC:           {board.mac.hex(':')}" in said
        )
        assert "Hash of data verified." in said
        run_esptool(board, *loader, "read-flash", "0x1000", "4096", tmp_path / "read.bin")
        assert (tmp_path / "read.bin").read_bytes() == image.read_bytes()[:4096]


def test_wrong_chip_is_refused(blank_board: Board, run_esptool: RunEsptool) -> None:
    with pytest.raises(FatalError, match="This chip is ESP32, not ESP32-C3"):
        run_esptool(blank_board, "--chip", "esp32c3", "flash-id")


def test_plain_process_over_pyserials_own_client(blank_board: Board) -> None:
    command = [
        sys.executable,
        "-m",
        "esptool",
        "--chip",
        "esp32",
        "--port",
        blank_board.url,
        "--no-stub",
        "read-mac",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert blank_board.mac.hex(":") in done.stdout
    assert done.returncode == 0


def test_fctry_esptool_passes_arguments_and_exit_code(blank_board: Board) -> None:
    fctry = [sys.executable, "-m", "fctry", "esptool"]
    done = subprocess.run(
        [*fctry, "--chip", "esp32", "--port", blank_board.url, "read-mac"], capture_output=True, text=True
    )
    assert blank_board.mac.hex(":") in done.stdout
    assert done.returncode == 0
    help_text = subprocess.run([*fctry, "--help"], capture_output=True, text=True)
    assert "write-flash" in help_text.stdout
    assert help_text.returncode == 0
    assert subprocess.run([*fctry, "no-such-command"], capture_output=True).returncode == 2


def test_fctry_esptool_with_nobody_on_the_port_says_what_to_do(blank_board: Board) -> None:
    url = blank_board.url
    blank_board.close()
    done = subprocess.run(
        [sys.executable, "-m", "fctry", "esptool", "--port", url, "read-mac"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "nobody listens there" in done.stdout + done.stderr
    assert "Start the board" in done.stdout + done.stderr
