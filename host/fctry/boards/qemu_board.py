"""A board whose chip is Espressif's QEMU: mask ROM, stub loader, boot loader and application are the real ones."""

from __future__ import annotations

import os
import subprocess
from contextlib import ExitStack
from pathlib import Path

from fctry.boards.board import DEFAULT_FLASH_BYTES, DEFAULT_MAC, check_mac
from fctry.boards.flash_file import open_flash_file
from fctry.boards.qemu_efuses import make_efuses
from fctry.boards.qemu_machine import CHIPS, QemuMachine
from fctry.boards.served_board import ServedBoard
from fctry.errors import BoardError, InputError

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
        port: int = 0,
    ) -> None:
        check_mac(mac)
        if chip not in CHIPS:
            raise InputError(f"QEMU emulates no {chip}", hint=f"choose one of {', '.join(CHIPS)}", found=chip)
        if flash_size_bytes not in FLASH_SIZES_BYTES:
            raise InputError(
                f"QEMU has no flash of {flash_size_bytes} bytes", hint="choose 2, 4, 8 or 16 MiB"
            )
        program = qemu or CHIPS[chip].program
        _check_qemu(program, chip)
        efuses = efuses or flash.with_name(flash.name + ".efuses")
        super().__init__(port)
        with ExitStack() as on_failure:
            on_failure.callback(self._server.close)
            descriptor = open_flash_file(flash, flash_size_bytes)
            self._flash_lock = ExitStack()
            self._flash_lock.callback(os.close, descriptor)
            on_failure.push(self._flash_lock)
            _make_efuse_file(efuses, chip, mac)
            on_failure.pop_all()
        self._machine = QemuMachine(program, chip, flash, efuses, self._say)

    def close(self) -> None:
        """Switch the board off: no thread, process or open file of it is left."""
        super().close()
        self._flash_lock.close()


def _make_efuse_file(path: Path, chip: str, mac: bytes) -> None:
    if path.exists():
        return
    try:
        path.write_bytes(make_efuses(chip, mac))
    except OSError as error:
        raise InputError(
            f"cannot write the eFuse file: {error.strerror}", file=path, hint="name another with --efuses"
        ) from error


def _check_qemu(program: str, chip: str) -> None:
    """Raise BoardError unless the program is a QEMU that knows the chip."""
    hint = (
        f"install Espressif's QEMU with ESP-IDF's tools (`idf_tools.py install {CHIPS[chip].package}`), or name the "
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
