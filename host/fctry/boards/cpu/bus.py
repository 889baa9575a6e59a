"""The bus between a board and the firmware that runs as a process, without I/O: its requests and replies.

The firmware is the master. Everything is little endian; `docs/boards.md` has the table.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Protocol

from fctry.boards.faults import AddressError, FlashFileError
from fctry.boards.reset import ResetReason
from fctry.partitions.table import SECTOR_BYTES, TABLE_OFFSET

REQUEST = struct.Struct("<B3xII")  # op, address, length
_INFO = struct.Struct(
    "<6sBBI"
)  # MAC address, reset reason, sector of the partition table, flash size in bytes

DONE, REFUSED = b"\0", b"\1"


class BusOp(IntEnum):
    """What the firmware asks for."""

    INFO = ord("I")
    READ = ord("R")
    PROGRAM = ord("P")
    ERASE = ord("E")
    GPIO = ord("G")


@dataclass(frozen=True)
class BusRequest:
    """One request. `length` counts the bytes to read, to program (they follow) or to erase."""

    op: int
    address: int
    length: int

    @classmethod
    def unpack(cls, header: bytes) -> BusRequest:
        """The request in 12 bytes."""
        return cls(*REQUEST.unpack(header))

    @property
    def data_bytes(self) -> int:
        """How many bytes follow it."""
        return self.length if self.op == BusOp.PROGRAM else 0


class Flash(Protocol):
    """What the bus needs of a flash chip. Raises AddressError, FlashFileError and PowerCutError."""

    path: Path
    size_bytes: int

    def read(self, address: int, size_bytes: int) -> bytes:
        """The bytes at `address`."""

    def program(self, address: int, data: bytes) -> None:
        """Clear bits."""

    def erase(self, address: int, size_bytes: int) -> None:
        """Set whole sectors to ones."""


class Bus:
    """The board's end: the flash, the chip's identity and its pins."""

    def __init__(
        self,
        flash: Flash,
        mac: bytes,
        reset_reason: ResetReason,
        gpio: Callable[[int], bool],
        table_offset: int = TABLE_OFFSET,
    ) -> None:
        self._flash = flash
        self._info = _INFO.pack(mac, reset_reason, table_offset // SECTOR_BYTES, flash.size_bytes)
        self._gpio = gpio

    @property
    def flash_file(self) -> Path:
        """The file of the flash."""
        return self._flash.path.resolve()

    def reply(self, request: BusRequest, data: bytes = b"") -> bytes:
        """Do what is asked for. Returns the status byte and what follows it. Raises PowerCutError."""
        address, length = request.address, request.length
        try:
            if request.op == BusOp.READ:
                return DONE + self._flash.read(address, length)
            if request.op == BusOp.PROGRAM:
                self._flash.program(address, data)
                return DONE
            if request.op == BusOp.ERASE:
                self._flash.erase(address, length)
                return DONE
        except (AddressError, FlashFileError):
            return REFUSED
        if request.op == BusOp.INFO:
            return DONE + self._info
        if request.op == BusOp.GPIO:
            return DONE + bytes([self._gpio(address)])
        return REFUSED
