"""What the tests of the board share: build folders, a person at a monitor."""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Callable
from pathlib import Path

import serial

from fctry.boards import Board
from fctry.boards.chip.app_image import AppDescription, pack
from fctry.device.permit import Permit
from fctry.partitions import binary
from fctry.partitions.table import Partition, PartitionTable

TABLE_ADDRESS, APP_ADDRESS = 0x8000, 0x10000
NVS = Partition("nvs", 1, 2, 0x9000, 0x6000)
FACTORY = Partition("factory", 0, 0, APP_ADDRESS, 0x10000)
TIMEOUT_S = 30.0  # on a machine as busy as it may be
ANYWHERE = Permit([range(1 << 32)])
"""To write where nobody has checked what there is."""

RunEsptool = Callable[..., str]


def make_build(folder: Path, name: str, program: str) -> Path:
    """A build folder with a program for an ELF, and its application image."""
    folder.mkdir(exist_ok=True)
    elf = folder / f"{name}.elf"
    elf.write_text(program, encoding="utf-8")
    elf.chmod(0o755)
    digest = hashlib.sha256(elf.read_bytes()).digest()
    (folder / f"{name}.bin").write_bytes(pack(AppDescription(name, "1.0", "v5.5.5", digest)))
    return folder


def install(board: Board, build: Path) -> Board:
    """Put a partition table and the build folder's application into the flash of a board that is off."""
    (app,) = build.glob("*.bin")
    board.flash.program(TABLE_ADDRESS, binary.pack(PartitionTable((NVS, FACTORY))))
    board.flash.program(APP_ADDRESS, app.read_bytes())
    return board


class Console:
    """A person at a monitor."""

    def __init__(self, url: str) -> None:
        self.line = serial.serial_for_url(f"{url}?timeout={TIMEOUT_S}", baudrate=115200, do_not_open=True)
        self.line.rts = self.line.dtr = False
        self.line.open()
        self.text = b""

    def send(self, text: str) -> None:
        self.line.write(text.encode() + b"\n")

    def expect(self, pattern: str, timeout_s: float = TIMEOUT_S) -> re.Match[bytes]:
        """Wait for the pattern; what came up to it is used up."""
        deadline = time.monotonic() + timeout_s
        while (match := re.search(pattern.encode(), self.text)) is None:
            self.line.timeout = max(0.0, deadline - time.monotonic())
            received = self.line.read(max(1, self.line.in_waiting))
            assert received, f"{pattern!r} did not come; what came is {self.text!r}"
            self.text += received
        self.text = self.text[match.end() :]
        return match

    def ask(self, command: str, pattern: str) -> re.Match[bytes]:
        self.send(command)
        return self.expect(pattern)

    def reset(self, *, into_download: bool = False) -> None:
        """What the EN button does; with BOOT held down, into download."""
        self.line.dtr = False
        self.line.rts = True
        self.line.dtr = into_download
        self.line.rts = False
        self.line.dtr = False

    def close(self) -> None:
        self.line.close()


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while is_alive(pid):
        assert time.monotonic() < deadline, f"process {pid} is still there"
        time.sleep(0.01)
