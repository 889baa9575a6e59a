"""A board whose chip is Espressif's QEMU: mask ROM, stub loader, boot loader and application are the real ones."""

from __future__ import annotations

import os
import subprocess
from contextlib import ExitStack
from pathlib import Path

from fctry.boards.board import DEFAULT_FLASH_BYTES, DEFAULT_MAC, check_mac
from fctry.boards.chip.chips import CHIPS, Qemu, chip_named
from fctry.boards.chip.flash_file import open_flash_file
from fctry.boards.chip.qemu_efuses import make_efuses
from fctry.boards.chip.rom_loader import STUB_GREETING
from fctry.boards.cpu.qemu_machine import QemuMachine
from fctry.boards.port import Port
from fctry.boards.reset import Boot
from fctry.boards.served_board import ServedBoard
from fctry.errors import BoardError, InputError
from fctry.files import write_file

FLASH_SIZES_BYTES = tuple(size << 20 for size in (2, 4, 8, 16))


class QemuBoard(ServedBoard):
    """A board on `rfc2217://127.0.0.1:PORT` while it is entered.

    `flash` is the file of its flash, made (erased) if it is absent. `efuses` is that of its eFuses, made with `mac` if
    it is absent; by default it lies beside the flash with `.efuses` appended to its name. `qemu` is the program, by
    default the one that Espressif's tools install for the chip. What QEMU writes to its flash is not counted, its power
    cannot be cut, and IO0 is only seen when EN rises. Raises InputError, PortError, or BoardError if there is no QEMU.
    """

    def __init__(
        self,
        flash: Path,
        *,
        chip: str = "esp32",
        flash_size_bytes: int = DEFAULT_FLASH_BYTES,
        mac: bytes = DEFAULT_MAC,
        efuses: Path | None = None,
        qemu: str = "",
        port: int | Port = 0,
    ) -> None:
        check_mac(mac)
        self.chip = chip_named(chip)
        if self.chip.qemu is None:
            emulated = ", ".join(one.name for one in CHIPS.values() if one.qemu)
            raise InputError(f"QEMU emulates no {chip}", hint=f"choose one of {emulated}")
        if flash_size_bytes not in FLASH_SIZES_BYTES:
            raise InputError(
                f"QEMU has no flash of {flash_size_bytes} bytes", hint="choose 2, 4, 8 or 16 MiB"
            )
        facts = self.chip.qemu
        program = qemu or facts.program
        _check_qemu(program, self.chip.name, facts)
        efuses = efuses or flash.with_name(flash.name + ".efuses")
        super().__init__(port)
        with ExitStack() as on_failure:
            on_failure.callback(self._port.close)
            descriptor = open_flash_file(flash, flash_size_bytes)
            self._flash_lock = ExitStack()
            self._flash_lock.callback(os.close, descriptor)
            on_failure.push(self._flash_lock)
            if not efuses.exists():
                write_file(efuses, make_efuses(facts.efuses, mac))
            on_failure.pop_all()
        commands = {boot: command(program, self.chip.name, facts, flash, efuses, boot) for boot in Boot}
        self._machine = QemuMachine(commands, self._say, greeting=STUB_GREETING if facts.is_paced else None)

    def close(self) -> None:
        """Switch the board off: no thread, process or open file of it is left."""
        with self._flash_lock:
            super().close()


def command(program: str, chip: str, facts: Qemu, flash: Path, efuses: Path, boot: Boot) -> list[str]:
    """QEMU's command line; UART0 is on stdin and stdout.

    Source: ESP-IDF v5.5.5 tools/idf_py_actions/qemu_ext.py.
    """
    arguments = [program, "-machine", chip, *facts.options]
    arguments += ["-nographic", "-monitor", "none", "-serial", "stdio", "-nic", "none"]
    arguments += ["-drive", f"file={_quoted(flash)},if=mtd,format=raw"]
    arguments += ["-drive", f"file={_quoted(efuses)},if=none,format=raw,id=efuse"]
    arguments += ["-global", f"driver=nvram.{chip}.efuse,property=drive,value=efuse"]
    arguments += ["-global", f"driver=timer.{chip}.timg,property=wdt_disable,value=true"]
    if boot == Boot.DOWNLOAD:
        strap = f"driver={chip}.gpio,property=strap_mode,value={facts.download_strap:#04x}"
        arguments += ["-global", strap]
    return arguments


def _quoted(path: Path) -> str:
    """A path inside of an option of QEMU, where a comma ends the value unless it is doubled."""
    return str(path.resolve()).replace(",", ",,")


def _check_qemu(program: str, chip: str, facts: Qemu) -> None:
    """Raise BoardError unless the program is a QEMU that knows the chip."""
    hint = (
        f"install Espressif's QEMU with ESP-IDF's tools (`idf_tools.py install {facts.package}`), or name the "
        "program with --qemu"
    )
    try:
        done = subprocess.run(
            [program, "-machine", "help"], capture_output=True, text=True, stdin=subprocess.DEVNULL
        )
    except OSError as error:
        raise BoardError(f"cannot run {program}: {error.strerror}", hint=hint) from error
    if f"\n{chip} " not in done.stdout:
        raise BoardError(f"{program} emulates no {chip}", hint=hint)
