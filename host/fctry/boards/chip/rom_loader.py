"""The serial loader in the mask ROM, without I/O.

Source: esptool's documentation, "Serial Protocol"; esptool 5.6.0 esptool/loader.py for what each chip's ROM refuses.
"""

from __future__ import annotations

import hashlib
import struct

from fctry.boards.chip.chips import ChipKind
from fctry.boards.chip.flash_write import FlashWrite
from fctry.boards.chip.loader import CommandError, Leave, Loader, Output, Reply, is_compressed
from fctry.boards.chip.loader_wire import BEGIN, RANGE, WORD, Op, Request, Status
from fctry.boards.chip.nor_flash import NorFlash
from fctry.boards.chip.registers import Registers

READ_SLOW_BYTES = 64  # the answer to READ_FLASH_SLOW always has this length
STUB_GREETING = b"OHAI"
SEGMENTS_MAX = 64  # of a program in RAM; a stub has two

_MEM_END = struct.Struct("<II")  # 1: stay in the loader; entry point
_SECURITY_INFO = struct.Struct("<IB7sII")  # flags, flash_crypt_cnt, key purposes, chip id, eco version
_SECURE_DOWNLOAD_ENABLE = 1 << 2  # in the flags
_SECURE_COMMANDS = (
    Op.SYNC,
    Op.GET_SECURITY_INFO,
    Op.SPI_ATTACH,
    Op.SPI_SET_PARAMS,
    Op.CHANGE_BAUDRATE,
    Op.FLASH_BEGIN,
    Op.FLASH_DATA,
    Op.FLASH_END,
    Op.FLASH_DEFL_BEGIN,
    Op.FLASH_DEFL_DATA,
    Op.FLASH_DEFL_END,
)
_RUN_USER_CODE = 1  # in FLASH_END; 0 restarts the chip, which samples no strapping pin and so is back here


class RomLoader(Loader):
    """Answers commands until the chip runs something else.

    A program that esptool puts into RAM and starts is taken for esptool's stub: nothing that arrives is executed.
    `is_secure`: in Secure Download mode, where nothing can be read, and no stub be started.
    Source of what that leaves: esptool 5.6.0 esptool/__init__.py, "3) Perform sanity checks", and what the commands
    named there send.
    """

    STATUS_BYTES = 4
    UNKNOWN_COMMAND = Status.INVALID_MESSAGE
    BAD_REQUEST = Status.INVALID_MESSAGE
    BAD_CHECKSUM = Status.INVALID_CRC
    FLASH_FAILED = Status.FAILED_TO_ACT
    NOT_WRITING = Status.FAILED_TO_ACT
    NOT_INFLATED = Status.DEFLATE_ERROR
    TOO_MUCH_DATA = Status.FAILED_TO_ACT
    SYNC_VALUE = 0x20120707

    def __init__(
        self, chip: ChipKind, registers: Registers, flash: NorFlash, *, is_secure: bool = False
    ) -> None:
        super().__init__(registers, flash)
        self._is_secure = is_secure
        self._chip = chip
        self._loaded: list[range] = []  # RAM that esptool has filled
        self._commands = {
            Op.SYNC: self._sync,
            Op.READ_REG: self._read_reg,
            Op.WRITE_REG: self._write_reg,
            Op.MEM_BEGIN: self._mem_begin,
            Op.MEM_DATA: self._mem_data,
            Op.MEM_END: self._mem_end,
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
            Op.READ_FLASH_SLOW: self._read_flash_slow,
        }
        if chip.has_security_info:
            self._commands[Op.GET_SECURITY_INFO] = self._security_info
        if is_secure:
            self._commands = {op: self._commands[op] for op in _SECURE_COMMANDS if op in self._commands}

    def _security_info(self, request: Request) -> list[Output]:
        flags = _SECURE_DOWNLOAD_ENABLE if self._is_secure else 0
        info = _SECURITY_INFO.pack(flags, 0, bytes(7), self._chip.image_chip_id, 0)
        return [self._response(request, body=info)]

    def _mem_begin(self, request: Request) -> list[Output]:
        size, _blocks, _block_size, address = BEGIN.unpack(request.body)
        if len(self._loaded) == SEGMENTS_MAX:
            raise CommandError(Status.FAILED_TO_ACT)
        self._loaded.append(range(address, address + size))
        return [self._response(request)]

    def _mem_data(self, request: Request) -> list[Output]:
        self._data_block(request)
        if not self._loaded:
            raise CommandError(Status.FAILED_TO_ACT)
        return [self._response(request)]

    def _mem_end(self, request: Request) -> list[Output]:
        stays, entry = _MEM_END.unpack(request.body)
        if stays:
            return [self._response(request)]
        if not any(entry in loaded for loaded in self._loaded):
            raise CommandError(Status.FAILED_TO_ACT)
        return [self._response(request), Reply(STUB_GREETING), Leave.FOR_STUB]

    def _flash_begin(self, request: Request) -> list[Output]:
        erase_bytes, blocks, block_bytes, address = BEGIN.unpack_from(request.body)
        self._write = FlashWrite(
            self._flash,
            address,
            erase_bytes if is_compressed(request.op) else blocks * block_bytes,
            erase_bytes=erase_bytes,
            is_compressed=is_compressed(request.op),
        )
        return [self._response(request)]

    def _flash_end(self, request: Request) -> list[Output]:
        (what,) = WORD.unpack(request.body)
        self._write = None
        leave = Leave.FOR_APPLICATION if what == _RUN_USER_CODE else Leave.FOR_DOWNLOAD
        return [self._response(request), leave]

    def _flash_md5(self, request: Request) -> list[Output]:
        address, size = RANGE.unpack_from(request.body)
        digest = hashlib.md5(self._flash.read(address, size), usedforsecurity=False).hexdigest()
        return [self._response(request, body=digest.encode())]

    def _read_flash_slow(self, request: Request) -> list[Output]:
        address, size = RANGE.unpack(request.body)
        if size > READ_SLOW_BYTES:
            raise CommandError(Status.INVALID_MESSAGE)
        data = self._flash.read(address, size)
        return [self._response(request, body=data.ljust(READ_SLOW_BYTES, b"\0"))]
