"""The native firmware over a small bus master: flash in memory, console over pipes, no board."""

from __future__ import annotations

import random
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fctry.device.report import Event, parse_line
from fctry.partitions.binary import pack
from fctry.partitions.csv import read_csv
from fctry.partitions.table import PartitionTable
from tests.unit.firmware.torn_flash import Torn, erase_half, program_half

ROOT = Path(__file__).parents[3]
NATIVE = ROOT / "firmware" / "native"
FLASH_BYTES = 0x20000  # up to the application, which no process has in its flash
SECTOR_BYTES = 4096
TABLE_OFFSET = 0x8000
POWER_ON, SOFTWARE = 1, 3
REQUEST = struct.Struct("<B3xII")


@pytest.fixture(scope="session")
def native_build() -> Path:
    """The native build folder, made anew if a source has changed."""
    subprocess.run(
        ["make", "--no-print-directory", "--silent", "-C", NATIVE, f"PYTHON={sys.executable}"], check=True
    )
    return NATIVE / "build"


@pytest.fixture(scope="session")
def table() -> PartitionTable:
    """The project's partitions."""
    return read_csv(ROOT / "partitions.csv")


def flash_of(table: PartitionTable, **images: bytes) -> bytearray:
    """A flash with the table and, by partition name, images."""
    flash = bytearray(b"\xff") * FLASH_BYTES
    packed = pack(table)
    flash[TABLE_OFFSET : TABLE_OFFSET + len(packed)] = packed
    for name, image in images.items():
        offset = table.find(name).offset
        flash[offset : offset + len(image)] = image
    return flash


@dataclass
class Firmware:
    """A running firmware and its hardware. Its flash obeys NOR rules; `operations` are what was asked of it.

    `power_cut_at`: the number of the program or erase operation, counted from 1, in whose middle the power goes; what
    that leaves is as the models of `torn` for erasing and programming say, drawn from `seed`.
    """

    elf: Path
    flash: bytearray
    reset_reason: int = POWER_ON
    boot_button_down: bool = False
    power_cut_at: int | None = None
    torn: tuple[Torn, Torn] = (erase_half, program_half)
    seed: int = 0
    mac: bytes = bytes.fromhex("240ac4123456")
    operations: list[tuple[str, int, int]] = field(default_factory=list)

    def __enter__(self) -> Firmware:
        self._bus, theirs = socket.socketpair()
        self._requests = open(self._bus.fileno(), "rb", closefd=False)
        self._process = subprocess.Popen(
            [self.elf, "--bus", str(theirs.fileno())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[theirs.fileno()],
        )
        theirs.close()
        self._server = threading.Thread(target=self._serve, daemon=True)
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._bus.shutdown(socket.SHUT_RDWR)
        self._server.join()
        self._requests.close()
        self._bus.close()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()

    def send(self, line: str) -> None:
        """Type a command line."""
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()

    def lines(self) -> Iterator[str]:
        """Console lines as they come, to the end of the process's output."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            yield line.decode(errors="surrogateescape").removesuffix("\r\n")

    def events(self) -> Iterator[Event]:
        """Report lines as they come."""
        for line in self.lines():
            event = parse_line(line)
            if event is not None:
                yield event

    def events_until(self, *names: str) -> list[Event]:
        """Report lines up to the first with one of these names."""
        collected = []
        for event in self.events():
            collected.append(event)
            if event.name in names:
                return collected
        raise AssertionError(f"the firmware ended without {names}: {collected}")

    def ask(self, command: str) -> list[Event]:
        """Send a command with an id and collect its answer, whose last line is a `done` line."""
        self.send(f"{command} #ask")
        answer = []
        for event in self.events():
            if event.get("id") == "ask":
                answer.append(event)
                if event.name == "done":
                    return answer
        raise AssertionError(f"the firmware ended without an answer to {command.split()[0]}: {answer}")

    def wait(self) -> int:
        """The exit status, once the process has ended."""
        return self._process.wait(timeout=20)

    def close_stdin(self) -> None:
        """The board is gone."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    def _receive(self, size: int) -> bytes:
        data = self._requests.read(size)
        if len(data) < size:
            raise EOFError
        return data

    def _serve(self) -> None:
        try:
            while True:
                op, address, length = REQUEST.unpack(self._receive(REQUEST.size))
                answer = self._answer(chr(op), address, length)
                self._bus.sendall(b"\x01" if answer is None else b"\x00" + answer)
        except (EOFError, OSError):
            return

    def _answer(self, op: str, address: int, length: int) -> bytes | None:
        if op == "I":
            return struct.pack("<6sBBI", self.mac, self.reset_reason, 0, len(self.flash))
        if op == "G":
            return bytes([0 if self.boot_button_down and address == 0 else 1])
        data = self._receive(length) if op == "P" else b""
        if address + length > len(self.flash):
            return None
        if op == "R":
            return bytes(self.flash[address : address + length])
        self.operations.append((op, address, length))
        if self.power_cut_at == len(self.operations):
            before = bytes(self.flash[address : address + length])
            self._change(op, address, length, data)
            after = bytes(self.flash[address : address + length])
            model = self.torn[0 if op == "E" else 1]
            self.flash[address : address + length] = model(before, after, random.Random(self.seed))
            self._process.kill()
            raise EOFError
        return b"" if self._change(op, address, length, data) else None

    def _change(self, op: str, address: int, length: int, data: bytes) -> bool:
        if op == "E":
            if address % SECTOR_BYTES or length % SECTOR_BYTES:
                return False
            self.flash[address : address + length] = b"\xff" * length
        else:
            before = int.from_bytes(self.flash[address : address + length])
            self.flash[address : address + length] = (before & int.from_bytes(data)).to_bytes(length)
        return True


Boot = Callable[..., Firmware]


@pytest.fixture
def boot(native_build: Path) -> Iterator[Boot]:
    """Start the firmware on a flash; it is stopped after the test at the latest."""
    with ExitStack() as stack:
        yield starter(native_build, stack)


def starter(native_build: Path, stack: ExitStack) -> Boot:
    """Starts the firmware on a flash; the stack stops it."""
    return lambda flash, **options: stack.enter_context(
        Firmware(native_build / "fctry.elf", flash, **options)
    )
