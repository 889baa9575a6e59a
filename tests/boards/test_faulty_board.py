"""A board with a fault plan, as esptool and a monitor see it."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
import serial
from esptool.util import FatalError

from fctry.boards import Board, parse_fault
from fctry.device import flasher
from fctry.errors import DeviceError, FctryError, InputError, PortError
from tests.boards.kit import ANYWHERE, Console, RunEsptool, install


def faulty(folder: Path, build: Path, *faults: str, chip: str = "esp32") -> Board:
    plan = [parse_fault(text) for text in faults]
    return install(Board(folder / "flash.bin", [build], chip=chip, faults=plan), build)


def write_through(board: Board, data: bytes = b"factory" * 200) -> bytes:
    """Write with our flasher, and read the flash file."""
    with flasher.connect(board.url, chip=board.chip.name) as chip:
        chip.write(ANYWHERE, [(0x110000, data)])
    return board.flash.read(0x110000, len(data))


@pytest.mark.parametrize(
    "fault", ["drop byte=4000", "flip byte=4000 count=3", "double byte=4000", "drop byte=90 to=host"]
)
def test_damaged_line_never_passes_for_a_good_one(fault: str, standin: Path, tmp_path: Path) -> None:
    data = b"factory" * 200
    with faulty(tmp_path, standin, fault) as board:
        try:
            assert write_through(board, data) == data
        except FctryError:
            assert write_through(board, data) == data  # the fault is over


def test_power_that_fails_at_a_byte_is_a_start(standin: Path, tmp_path: Path) -> None:
    with faulty(tmp_path, standin, "power-cut byte=3") as board:
        console = Console(board.url)
        console.reset()
        console.expect("standin pid=")
        console.send("xyz")
        console.expect("POWERON_RESET")
        console.expect("standin pid=")
        console.close()


def test_port_vanishes_and_comes_back(standin: Path, tmp_path: Path) -> None:
    with faulty(tmp_path, standin, "vanish byte=2000 seconds=0.4") as board:
        with pytest.raises((PortError, DeviceError)):
            write_through(board)
        with pytest.raises(serial.SerialException):
            serial.serial_for_url(board.url)
        time.sleep(0.5)
        assert write_through(board) == b"factory" * 200


def test_silent_chip_does_not_answer(standin: Path, tmp_path: Path) -> None:
    with faulty(tmp_path, standin, "silent start=3 times=1") as board:
        console = Console(board.url)
        console.reset()
        console.expect("standin pid=")  # else what the first start said may still come
        console.reset()
        console.line.timeout = 0.2
        assert not re.search(b"rst:|standin pid=", console.text + console.line.read(10_000))
        console.text = b""
        console.reset()
        console.expect("standin pid=")
        console.close()


def test_boot_loop_is_one_reset_after_the_other(standin: Path, tmp_path: Path) -> None:
    with faulty(tmp_path, standin, "boot-loop times=2") as board:
        console = Console(board.url)
        console.reset()
        console.expect("abort.. was called")
        console.expect("standin pid=")
        console.close()


@pytest.mark.parametrize(("level", "text"), [("low", "DOWNLOAD_BOOT"), ("high", "SPI_FAST_FLASH_BOOT")])
def test_stuck_boot_line_decides(level: str, text: str, standin: Path, tmp_path: Path) -> None:
    with faulty(tmp_path, standin, f"stuck-boot level={level}") as board:
        console = Console(board.url)
        console.reset(into_download=level == "high")
        console.expect(text)
        console.close()


def test_chip_flash_and_mac_are_those_of_the_plan(tmp_path: Path, run_esptool: RunEsptool) -> None:
    faults = ["wrong-chip chip=esp32c3", "smaller-flash size=2MB", "mac"]
    with Board(tmp_path / "flash.bin", faults=[parse_fault(text) for text in faults]) as board:
        said = run_esptool(board, "flash-id")
        assert "Connected to ESP32-C3" in said
        assert "00:00:00:00:00:00" in said
        assert "Detected flash size: 2MB" in said


def test_secure_download_lets_through_what_esptool_says(tmp_path: Path, run_esptool: RunEsptool) -> None:
    (tmp_path / "image.bin").write_bytes(b"factory" * 200)
    plan = [parse_fault("secure-download")]
    with Board(tmp_path / "flash.bin", chip="esp32c3", faults=plan) as board:
        run_esptool(board, "write-flash", "0x110000", tmp_path / "image.bin")
        assert board.flash.read(0x110000, 1400) == b"factory" * 200
        run_esptool(board, "erase-region", "0x110000", "0x1000")
        assert board.flash.read(0x110000, 1400) == b"\xff" * 1400
        with pytest.raises(FatalError, match="not available in Secure Download Mode"):
            run_esptool(board, "read-mac")
        assert not {"MEM_BEGIN", "SPI_FLASH_MD5"} & set(board.commands)
    with pytest.raises(InputError, match="has no Secure Download mode"):
        Board(tmp_path / "other.bin", faults=plan)


def test_real_time_is_that_of_the_wire_and_of_the_flash(standin: Path, tmp_path: Path) -> None:
    with faulty(tmp_path, standin, "real-time") as board:
        began_s, before = time.monotonic(), board.traffic
        write_through(board)
        took_s, after = time.monotonic() - began_s, board.traffic
        passed = max(after.to_chip_bytes - before.to_chip_bytes, after.to_host_bytes - before.to_host_bytes)
        assert took_s > passed * 10 / 460800 + 0.045 + 6 * 0.0004
        assert board.commands["FLASH_DEFL_DATA"] >= 1
