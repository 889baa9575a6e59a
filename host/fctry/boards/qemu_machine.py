"""Espressif's QEMU as the machine of a board: EN ends and starts its process, IO0 chooses its strapping mode.

QEMU reads its flash file when it starts, so what happened to the file while EN was low is there.
Source: ESP-IDF v5.5.5 tools/idf_py_actions/qemu_ext.py (options, strapping modes).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fctry.boards.auto_reset import Boot
from fctry.boards.guardian import Guardian
from fctry.boards.paced_process import PacedProcess
from fctry.boards.uart_process import UartProcess


@dataclass(frozen=True)
class QemuChip:
    """What QEMU needs to be told for a chip. In the strapping mode `download_strap` the ROM waits for esptool."""

    program: str
    package: str  # of ESP-IDF's idf_tools.py
    download_strap: int
    options: tuple[str, ...] = ()
    is_paced: bool = False  # in download; the UART of the later chips wakes the guest for a full FIFO only


CHIPS = {
    "esp32": QemuChip("qemu-system-xtensa", "qemu-xtensa", 0x0F, ("-m", "4M"), is_paced=True),
    "esp32c3": QemuChip("qemu-system-riscv32", "qemu-riscv32", 0x02),
    "esp32s3": QemuChip("qemu-system-xtensa", "qemu-xtensa", 0x07, ("-m", "32M")),
}


def command(program: str, chip: str, flash: Path, efuses: Path, boot: Boot) -> list[str]:
    """The command line; UART0 is on stdin and stdout."""
    arguments = [program, "-machine", chip, *CHIPS[chip].options]
    arguments += ["-nographic", "-monitor", "none", "-serial", "stdio", "-nic", "none"]
    arguments += ["-drive", f"file={_quoted(flash)},if=mtd,format=raw"]
    arguments += ["-drive", f"file={_quoted(efuses)},if=none,format=raw,id=efuse"]
    arguments += ["-global", f"driver=nvram.{chip}.efuse,property=drive,value=efuse"]
    arguments += ["-global", f"driver=timer.{chip}.timg,property=wdt_disable,value=true"]
    if boot == Boot.DOWNLOAD:
        strap = CHIPS[chip].download_strap
        arguments += ["-global", f"driver={chip}.gpio,property=strap_mode,value={strap:#04x}"]
    return arguments


def _quoted(path: Path) -> str:
    """A path inside of an option of QEMU, where a comma ends the value unless it is doubled."""
    return str(path.resolve()).replace(",", ",,")


class QemuMachine:
    """The machine of a QEMU board."""

    def __init__(
        self, program: str, chip: str, flash: Path, efuses: Path, say: Callable[[bytes], None]
    ) -> None:
        self._program = program
        self._chip = chip
        self._flash = flash
        self._efuses = efuses
        self._say = say
        self._lock = threading.Lock()  # guards the following
        self._process: UartProcess | None = None
        self._guardian: Guardian | None = None
        self._is_off = False

    def start(self, boot: Boot) -> None:
        """EN rises."""
        arguments = command(self._program, self._chip, self._flash, self._efuses, boot)
        with self._lock:
            if self._is_off:
                return
            self._halt()
            try:
                is_paced = boot == Boot.DOWNLOAD and CHIPS[self._chip].is_paced
                kind = PacedProcess if is_paced else UartProcess
                self._process = kind(arguments, on_output=self._say, on_end=self._ended)
                self._guardian = Guardian(self._process.pid)  # QEMU does not mind that its stdin ends
                self._process.start()
            except OSError as error:
                self._say(f"cannot start {self._program}: {error.strerror}\r\n".encode())

    def halt(self) -> None:
        """EN falls."""
        with self._lock:
            self._halt()

    def receive(self, data: bytes) -> None:
        """Bytes for UART0."""
        with self._lock:
            if self._process is not None:
                self._process.receive(data)

    def set_baud(self, baud: int) -> None:
        """QEMU's UART knows no baud rate."""

    def close(self) -> None:
        """Switch off."""
        with self._lock:
            self._is_off = True
            self._halt()

    def _halt(self) -> None:
        process, self._process = self._process, None
        guardian, self._guardian = self._guardian, None
        if guardian is not None:
            guardian.dismiss()
        if process is not None:
            process.stop()
            process.join()  # it holds a lock on its flash file

    def _ended(self, status: int) -> None:
        if self._guardian is not None:
            self._guardian.dismiss()
        self._say(f"\r\nQEMU has ended with status {status}; EN starts it again\r\n".encode())
