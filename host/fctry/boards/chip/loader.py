"""What the ROM's loader and esptool's stub have in common, without I/O: frames in, outputs out."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from fctry.boards.chip.flash_write import FlashWrite, InflateError, TooMuchDataError
from fctry.boards.chip.loader_wire import DATA_HEADER, WORD, Op, Request, Response, Status, checksum
from fctry.boards.chip.nor_flash import NorFlash
from fctry.boards.chip.registers import Registers
from fctry.boards.faults import AddressError, FlashFileError

_WRITE_REG = struct.Struct("<IIII")  # address, value, mask, delay in us
SYNC_RESPONSES = 8


@dataclass(frozen=True)
class Reply:
    """The payload of a frame for esptool."""

    payload: bytes


class Leave(Enum):
    """The loader ends, and this is what runs next."""

    FOR_STUB = "stub loader"
    FOR_APPLICATION = "application"
    FOR_DOWNLOAD = "ROM loader, from the start"


Output = Reply | Leave
Handler = Callable[[Request], list[Output]]


class CommandError(Exception):
    """The command cannot be done; the answer carries this status."""

    def __init__(self, status: Status) -> None:
        super().__init__(status.name)
        self.status = status


class Loader:
    """Base of the two. Each has a table of its commands, `_commands`.

    `receive` may raise PowerCutError, of the flash.
    """

    STATUS_BYTES: int
    UNKNOWN_COMMAND: Status
    BAD_CHECKSUM: Status
    BAD_REQUEST: Status
    FLASH_FAILED: Status
    NOT_WRITING: Status
    NOT_INFLATED: Status
    TOO_MUCH_DATA: Status
    SYNC_VALUE: int

    def __init__(self, registers: Registers, flash: NorFlash) -> None:
        self._registers = registers
        self._flash = flash
        self._write: FlashWrite | None = None
        self._commands: Mapping[int, Handler] = {}

    def receive(self, payload: bytes) -> list[Output]:
        """Do what a frame asks for. What is no request is ignored, as noise on the line would be."""
        request = Request.unpack(payload)
        if request is None:
            return []
        handler = self._commands.get(request.op)
        try:
            if handler is None:
                raise CommandError(self.UNKNOWN_COMMAND)
            return handler(request)
        except CommandError as error:
            return [self._response(request, error=error.status)]
        except struct.error:
            return [self._response(request, error=self.BAD_REQUEST)]
        except (AddressError, FlashFileError):
            return [self._response(request, error=self.FLASH_FAILED)]

    def _response(self, request: Request, value: int = 0, body: bytes = b"", error: int = 0) -> Reply:
        return Reply(Response(request.op, value, body, error, self.STATUS_BYTES).pack())

    def _accept(self, request: Request) -> list[Output]:
        return [self._response(request)]

    def _sync(self, request: Request) -> list[Output]:
        return [self._response(request, self.SYNC_VALUE) for _ in range(SYNC_RESPONSES)]

    def _read_reg(self, request: Request) -> list[Output]:
        (address,) = WORD.unpack(request.body)
        return [self._response(request, self._registers.read(address))]

    def _write_reg(self, request: Request) -> list[Output]:
        for address, value, mask, _delay_us in _WRITE_REG.iter_unpack(request.body):
            self._registers.write(address, value, mask)
        return [self._response(request)]

    def _flash_data(self, request: Request) -> list[Output]:
        sequence, block = self._data_block(request)
        if self._write is None:
            raise CommandError(self.NOT_WRITING)
        try:
            self._write.take(sequence, block)
        except InflateError as error:
            raise CommandError(self.NOT_INFLATED) from error
        except TooMuchDataError as error:
            raise CommandError(self.TOO_MUCH_DATA) from error
        return [self._response(request)]

    def _data_block(self, request: Request) -> tuple[int, bytes]:
        """Sequence number and data of a DATA command."""
        size, sequence, _, _ = DATA_HEADER.unpack_from(request.body)
        data = request.body[DATA_HEADER.size :]
        if size != len(data):
            raise CommandError(self.BAD_REQUEST)
        if checksum(data) != request.checksum & 0xFF:
            raise CommandError(self.BAD_CHECKSUM)
        return sequence, data


def is_compressed(op: int) -> bool:
    """Whether a command of a write to flash is of the compressed kind."""
    return op in (Op.FLASH_DEFL_BEGIN, Op.FLASH_DEFL_DATA, Op.FLASH_DEFL_END)
