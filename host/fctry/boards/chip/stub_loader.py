"""esptool's stub loader as it behaves once it runs in the chip's RAM, without I/O. Its code is not executed.

Source: esptool's documentation, "Serial Protocol" and "Flasher Stub"; esptool 5.6.0 esptool/loader.py.
"""

from __future__ import annotations

import hashlib
import struct

from fctry.boards.chip.flash_write import FlashWrite
from fctry.boards.chip.loader import CommandError, Leave, Loader, Output, Reply, is_compressed
from fctry.boards.chip.loader_wire import BEGIN, RANGE, WORD, Op, Request, Status
from fctry.boards.chip.nor_flash import NorFlash
from fctry.boards.chip.registers import Registers

_READ_FLASH = struct.Struct("<IIII")  # address, size in bytes, block size in bytes, blocks in flight
WINDOW_BYTES_MAX = 0x10000  # under way at once; esptool acknowledges every block
_RESTART = 0  # in FLASH_END; 1 stays in the stub


class FlashReading:
    """The answer to READ_FLASH: blocks, each acknowledged with the number of bytes received, then their MD5."""

    def __init__(
        self, flash: NorFlash, address: int, size_bytes: int, block_bytes: int, blocks_in_flight: int
    ) -> None:
        if not block_bytes or not blocks_in_flight:
            raise CommandError(Status.STUB_FAILED_SPI_OP)
        self._data = flash.read(address, size_bytes)
        self._block_bytes = block_bytes
        self._window_bytes = min(block_bytes * blocks_in_flight, max(block_bytes, WINDOW_BYTES_MAX))
        self._sent = 0
        self._acknowledged = 0
        self.is_done = False

    def frames(self) -> list[Output]:
        """What may be sent now."""
        end = min(len(self._data), self._acknowledged + self._window_bytes)
        outputs: list[Output] = []
        while self._sent < end:
            block = self._data[self._sent : self._sent + self._block_bytes]
            outputs.append(Reply(block))
            self._sent += len(block)
        if self._acknowledged >= len(self._data):
            outputs.append(Reply(hashlib.md5(self._data, usedforsecurity=False).digest()))
            self.is_done = True
        return outputs

    def acknowledge(self, payload: bytes) -> list[Output]:
        """Take in an acknowledgement."""
        if len(payload) == WORD.size:
            (self._acknowledged,) = WORD.unpack(payload)
        return self.frames()


class StubLoader(Loader):
    """Answers commands until the chip is reset or runs its application."""

    STATUS_BYTES = 2
    UNKNOWN_COMMAND = Status.STUB_INVALID_COMMAND
    BAD_REQUEST = Status.STUB_BAD_DATA_LENGTH
    BAD_CHECKSUM = Status.STUB_BAD_DATA_CHECKSUM
    FLASH_FAILED = Status.STUB_FAILED_SPI_OP
    NOT_WRITING = Status.STUB_NOT_IN_FLASH_MODE
    NOT_INFLATED = Status.STUB_INFLATE_ERROR
    TOO_MUCH_DATA = Status.STUB_TOO_MUCH_DATA
    SYNC_VALUE = 0  # by this esptool tells it from a ROM

    def __init__(self, registers: Registers, flash: NorFlash) -> None:
        super().__init__(registers, flash)
        self._reading: FlashReading | None = None
        self._commands = {
            Op.SYNC: self._sync,
            Op.READ_REG: self._read_reg,
            Op.WRITE_REG: self._write_reg,
            Op.SPI_ATTACH: self._accept,
            Op.SPI_SET_PARAMS: self._accept,
            Op.CHANGE_BAUDRATE: self._accept,
            Op.FLASH_BEGIN: self._flash_begin,
            Op.FLASH_DATA: self._flash_data,
            Op.FLASH_END: self._flash_end,
            Op.FLASH_DEFL_BEGIN: self._flash_begin,
            Op.FLASH_DEFL_DATA: self._flash_data,
            Op.FLASH_DEFL_END: self._flash_end,
            Op.SPI_FLASH_MD5: self._flash_md5,
            Op.ERASE_FLASH: self._erase_flash,
            Op.ERASE_REGION: self._erase_region,
            Op.READ_FLASH: self._read_flash,
            Op.RUN_USER_CODE: self._run_user_code,
        }

    def receive(self, payload: bytes) -> list[Output]:
        """As the base class says; while a READ_FLASH runs, frames are acknowledgements and no requests."""
        if self._reading is None:
            return super().receive(payload)
        outputs = self._reading.acknowledge(payload)
        if self._reading.is_done:
            self._reading = None
        return outputs

    def _flash_begin(self, request: Request) -> list[Output]:
        size, _blocks, _block_bytes, address = BEGIN.unpack_from(request.body)
        self._write = FlashWrite(self._flash, address, size, is_compressed=is_compressed(request.op))
        return [self._response(request)]

    def _flash_end(self, request: Request) -> list[Output]:
        (what,) = WORD.unpack(request.body)
        write, self._write = self._write, None
        if write is not None and not write.is_complete:
            raise CommandError(Status.STUB_NOT_ENOUGH_DATA)
        response: list[Output] = [self._response(request)]
        return [*response, Leave.FOR_DOWNLOAD] if what == _RESTART else response

    def _flash_md5(self, request: Request) -> list[Output]:
        address, size = RANGE.unpack_from(request.body)
        digest = hashlib.md5(self._flash.read(address, size), usedforsecurity=False).digest()
        return [self._response(request, body=digest)]

    def _erase_flash(self, request: Request) -> list[Output]:
        self._flash.erase(0, self._flash.size_bytes)
        return [self._response(request)]

    def _erase_region(self, request: Request) -> list[Output]:
        address, size = RANGE.unpack(request.body)
        self._flash.erase(address, size)
        return [self._response(request)]

    def _read_flash(self, request: Request) -> list[Output]:
        reading = FlashReading(self._flash, *_READ_FLASH.unpack(request.body))
        outputs = [self._response(request), *reading.frames()]
        self._reading = None if reading.is_done else reading
        return outputs

    def _run_user_code(self, _request: Request) -> list[Output]:
        return [Leave.FOR_APPLICATION]
