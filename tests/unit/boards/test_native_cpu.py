"""A CPU that is a process of this machine."""

import queue
from pathlib import Path

from fctry.boards.chip.nor_flash import NorFlash
from fctry.boards.cpu.bus import Bus
from fctry.boards.cpu.native_cpu import Ending, NativeCpu
from fctry.boards.reset import ResetReason


def run_to_its_end(script: str, tmp_path: Path) -> tuple[str, Ending]:
    """What a program prints, and why it ended."""
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    flash = NorFlash(tmp_path / "flash.bin", 0x200000)
    output, ended = [], queue.Queue()
    bus = Bus(flash, bytes(6), ResetReason.POWER_ON, lambda number: True)
    NativeCpu(program, bus, on_output=output.append, on_end=lambda cpu, ending: ended.put(ending))
    ending = ended.get(timeout=20)
    flash.close()
    return b"".join(output).decode(), ending


def test_firmware_of_the_linux_target_is_told_the_flash_file(tmp_path: Path) -> None:
    output, _ = run_to_its_end('echo "$FCTRY_FLASH_FILE"', tmp_path)
    assert output == f"{tmp_path / 'flash.bin'}\n"


def test_exit_status_0_is_a_software_reset_and_any_other_a_panic(tmp_path: Path) -> None:
    assert run_to_its_end("exit 0", tmp_path)[1].reason == ResetReason.SOFTWARE
    _, ending = run_to_its_end("exit 3", tmp_path)
    assert ending.reason == ResetReason.PANIC
    assert "status 3" in ending.text
