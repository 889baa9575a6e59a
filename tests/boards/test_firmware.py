"""Firmware on the board: what it sees of the chip, how it ends, and what the chip does then."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
import serial
from esptool.util import FatalError

from fctry.boards import Board
from fctry.boards.chip.app_image import AppDescription, pack
from fctry.partitions import binary
from fctry.partitions.table import Partition, PartitionTable
from tests.boards.kit import (
    APP_ADDRESS,
    NVS,
    TABLE_ADDRESS,
    Console,
    RunEsptool,
    install,
    make_build,
    wait_until_gone,
)


def test_board_boots_its_application_when_it_is_switched_on(installed_board: Board) -> None:
    console = Console(installed_board.url)
    console.send("hello")
    console.expect("echo hello")
    console.close()


def test_firmware_knows_its_chip(installed_board: Board, console: Console) -> None:
    console.reset()
    match = console.expect(r"reset=(\d) mac=(\w+) flash=(\d+)")
    assert match.groups() == (b"1", installed_board.mac.hex().encode(), b"4194304")


def test_firmware_programs_and_erases_the_boards_flash(installed_board: Board, console: Console) -> None:
    assert console.ask(f"program {NVS.offset} 00ff0f", r"status=(\d)")[1] == b"0"
    assert installed_board.flash.read(NVS.offset, 3) == b"\x00\xff\x0f"
    assert console.ask(f"read {NVS.offset} 4", r"data=(\w+)")[1] == b"00ff0fff"
    assert console.ask(f"erase {NVS.offset} 4096", r"status=(\d)")[1] == b"0"
    assert installed_board.flash.wear(NVS.offset).erases == 1


@pytest.mark.parametrize("command", ["read 0x400000 1", "program 0x3fffff 0000", "erase 5 4096"])
def test_request_that_the_chip_refuses_leaves_the_firmware_running(command: str, console: Console) -> None:
    assert console.ask(command, r"status=(\d)")[1] == b"1"
    console.ask("still here", "echo still here")


def test_restart_boots_again_with_its_reason(console: Console) -> None:
    console.send("exit 0")
    console.expect(r"rst:0xc \(SW_CPU_RESET\),boot:0x13 \(SPI_FAST_FLASH_BOOT\)")
    assert console.expect(r"reset=(\d)")[1] == b"3"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("kill SIGSEGV", r"Guru Meditation Error: Core  0 panic'ed \(SIGSEGV\)"),
        ("kill SIGABRT", r"abort\(\) was called"),
        ("exit 3", r"abort\(\) was called: .* status 3"),
    ],
)
def test_panic_is_said_and_boots_again_with_its_reason(command: str, said: str, console: Console) -> None:
    console.send(command)
    console.expect(said)
    console.expect("Rebooting...")
    assert console.expect(r"reset=(\d)")[1] == b"4"


def test_request_out_of_step_ends_the_firmware(console: Console) -> None:
    console.send("babble")
    console.expect("standin pid=")


def test_reset_ends_the_process_at_once(console: Console) -> None:
    console.reset()
    pid = int(console.expect(r"pid=(\d+)")[1])
    console.send("hang")
    console.expect("hanging")
    console.line.rts = True
    wait_until_gone(pid)
    console.line.rts = False
    console.expect(r"rst:0x1 \(POWERON_RESET\)")
    assert console.expect(r"reset=(\d)")[1] == b"1"


def test_reset_into_download_stops_the_firmware_and_says_so(console: Console) -> None:
    console.reset(into_download=True)
    console.expect(r"DOWNLOAD_BOOT\(UART0.*\)\)\r\nwaiting for download\r\n")
    console.reset()
    console.expect("standin pid=")


def test_boot_button_is_a_pin_and_chooses_download(installed_board: Board, console: Console) -> None:
    assert console.ask("gpio 0", r"level=(\d)")[1] == b"1"
    installed_board.is_boot_button_down = True
    assert console.ask("gpio 0", r"level=(\d)")[1] == b"0"
    assert console.ask("gpio 4", r"level=(\d)")[1] == b"1"
    console.reset()
    console.expect("waiting for download")
    installed_board.is_boot_button_down = False


def test_io0_is_low_while_dtr_alone_is_asserted(console: Console) -> None:
    console.line.dtr = True
    assert console.ask("gpio 0", r"level=(\d)")[1] == b"0"


def test_power_cut_in_a_write_of_the_firmware_leaves_it_half_done(
    installed_board: Board, console: Console
) -> None:
    installed_board.flash.cut_power_at(1)
    console.send(f"program {NVS.offset} {'00' * 32}")
    console.expect(r"rst:0x1 \(POWERON_RESET\)")
    assert console.expect(r"reset=(\d)")[1] == b"1"
    assert installed_board.flash.read(NVS.offset, 32) == bytes(16) + b"\xff" * 16


def test_power_cut_while_the_boot_loader_writes_otadata_boots_the_board(
    standin: Path, tmp_path: Path
) -> None:
    board = Board(tmp_path / "flash.bin", [standin])
    otadata, slot = (
        Partition("otadata", 1, 0, 0x9000, 0x2000),
        Partition("ota_0", 0, 0x10, APP_ADDRESS, 0x10000),
    )
    board.flash.program(TABLE_ADDRESS, binary.pack(PartitionTable((otadata, slot))))
    board.flash.program(APP_ADDRESS, (standin / "standin.bin").read_bytes())
    board.flash.cut_power_at(2)  # after the erasure: half of the entry is written
    with board:
        assert board.flash.read(otadata.offset, 32) == b"\1\0\0\0" + b"\xff" * 28
        console = Console(board.url)
        console.reset()
        console.expect("ota data partition invalid and no factory, will try all partitions")
        console.expect("standin pid=")
        console.close()


def test_power_cut_in_a_write_of_esptool_boots_the_board(
    installed_board: Board, run_esptool: RunEsptool, tmp_path: Path
) -> None:
    (tmp_path / "image.bin").write_bytes(bytes(8192))
    installed_board.flash.cut_power_at(3)
    with pytest.raises((FatalError, serial.SerialException)):
        run_esptool(installed_board, "write-flash", "--no-compress", "0x100000", tmp_path / "image.bin")
    assert installed_board.flash.read(0x100000, 4096) != bytes(4096)
    console = Console(installed_board.url)
    console.ask("up again", "echo up again")
    console.close()


def test_firmware_that_panics_at_once_does_not_keep_the_host_busy(tmp_path: Path) -> None:
    build = make_build(tmp_path / "build", "bad", "#!/bin/sh\nexit 1\n")
    with install(Board(tmp_path / "flash.bin", [build]), build) as board:
        console = Console(board.url)
        began = time.monotonic()
        for _ in range(3):
            console.expect("Rebooting...")
        assert time.monotonic() - began > 0.2
        console.reset(into_download=True)
        console.expect("waiting for download")
        console.close()


def test_elf_that_is_no_program_is_said_on_the_console(tmp_path: Path) -> None:
    build = make_build(tmp_path / "build", "bad", "\x7fELF but not really")
    with install(Board(tmp_path / "flash.bin", [build]), build) as board:
        console = Console(board.url)
        console.reset()
        console.expect(r"E \(0\) boot: cannot run .*bad.elf: Exec format error")
        console.close()


def test_elf_rebuilt_behind_the_boards_back_does_not_run(tmp_path: Path) -> None:
    build = make_build(tmp_path / "build", "app", "#!/bin/sh\nexec sleep 60\n")
    with install(Board(tmp_path / "flash.bin", [build]), build) as board:
        (build / "app.elf").write_text("#!/bin/sh\necho never\n")
        console = Console(board.url)
        console.reset()
        console.expect("has changed since the board started: restart the board")
        console.close()


def test_application_that_the_board_was_not_given_is_refused_and_the_board_stays_usable(
    installed_board: Board, console: Console, run_esptool: RunEsptool, tmp_path: Path, standin: Path
) -> None:
    console.close()
    stranger = tmp_path / "stranger.bin"
    stranger.write_bytes(pack(AppDescription("stranger", "2.0", "v5.5.5", bytes(range(32)))))
    run_esptool(installed_board, "write-flash", hex(APP_ADDRESS), stranger)
    console = Console(installed_board.url)
    console.reset()
    console.expect(r"this board was not given the application stranger 2\.0 \(ELF SHA-256 0001020304050607")
    console.expect(re.escape(str(standin)))
    console.expect("--app")
    console.close()
    run_esptool(installed_board, "write-flash", hex(APP_ADDRESS), standin / "standin.bin")
    console = Console(installed_board.url)
    console.ask("back", "echo back")
    console.close()


def test_erased_flash_is_said_on_the_console(blank_board: Board) -> None:
    console = Console(blank_board.url)
    console.reset()
    console.expect("load partition table error!")
    console.close()


def test_flash_outlives_the_board(standin: Path, tmp_path: Path, installed_board: Board) -> None:
    path = installed_board.flash.path
    installed_board.close()
    with Board(path, [standin]) as again:
        console = Console(again.url)
        console.ask("hello", "echo hello")
        console.close()


def test_closing_the_board_leaves_no_process(installed_board: Board, console: Console) -> None:
    console.reset()
    pid = int(console.expect(r"pid=(\d+)")[1])
    installed_board.close()
    wait_until_gone(pid)


def test_killed_board_leaves_no_process(installed_board: Board, standin: Path) -> None:
    installed_board.close()
    command = ["board", "--app", standin, "--flash", installed_board.flash.path, "--port", "0"]
    with subprocess.Popen(
        [sys.executable, "-m", "fctry", *command], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().removeprefix("listening on ").strip()
        console = Console(url)
        console.reset()
        pid = int(console.expect(r"pid=(\d+)")[1])
        process.kill()
        process.wait()
        wait_until_gone(pid)
        console.close()
