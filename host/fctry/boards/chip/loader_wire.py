"""What esptool and a loader say to each other inside SLIP frames, without I/O.

Source: esptool's documentation, "Serial Protocol" (https://docs.espressif.com/projects/esptool).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from functools import reduce
from operator import xor

_HEADER = struct.Struct("<BBHI")  # direction, op, size of what follows in bytes, checksum or value
DATA_HEADER = struct.Struct("<IIII")  # of the DATA commands: size in bytes, sequence number, 0, 0
BEGIN = struct.Struct(
    "<IIII"
)  # of the BEGIN commands: size in bytes, number of blocks, block size in bytes, address
RANGE = struct.Struct("<II")  # address, size in bytes
WORD = struct.Struct("<I")

_REQUEST, _RESPONSE = 0, 1
CHECKSUM_SEED = 0xEF


class Op(IntEnum):
    """Commands."""

    FLASH_BEGIN = 0x02
    FLASH_DATA = 0x03
    FLASH_END = 0x04
    MEM_BEGIN = 0x05
    MEM_END = 0x06
    MEM_DATA = 0x07
    SYNC = 0x08
    WRITE_REG = 0x09
    READ_REG = 0x0A
    SPI_SET_PARAMS = 0x0B
    SPI_ATTACH = 0x0D
    READ_FLASH_SLOW = 0x0E
    CHANGE_BAUDRATE = 0x0F
    FLASH_DEFL_BEGIN = 0x10
    FLASH_DEFL_DATA = 0x11
    FLASH_DEFL_END = 0x12
    SPI_FLASH_MD5 = 0x13
    GET_SECURITY_INFO = 0x14
    ERASE_FLASH = 0xD0
    ERASE_REGION = 0xD1
    READ_FLASH = 0xD2
    RUN_USER_CODE = 0xD3


class Status(IntEnum):
    """Why a command failed: the second status byte, with the first one 1. Those of the stub begin at 0xC0."""

    INVALID_MESSAGE = 0x05
    FAILED_TO_ACT = 0x06
    INVALID_CRC = 0x07
    FLASH_WRITE_ERROR = 0x08
    FLASH_READ_ERROR = 0x09
    DEFLATE_ERROR = 0x0B
    STUB_BAD_DATA_LENGTH = 0xC0
    STUB_BAD_DATA_CHECKSUM = 0xC1
    STUB_INVALID_COMMAND = 0xC3
    STUB_FAILED_SPI_OP = 0xC4
    STUB_NOT_IN_FLASH_MODE = 0xC6
    STUB_INFLATE_ERROR = 0xC7
    STUB_NOT_ENOUGH_DATA = 0xC8
    STUB_TOO_MUCH_DATA = 0xC9


@dataclass(frozen=True)
class Request:
    """A command of esptool. `op` may be one that no loader knows."""

    op: int
    body: bytes
    checksum: int

    @classmethod
    def unpack(cls, payload: bytes) -> Request | None:
        """The request in a frame's payload, None if there is none."""
        if len(payload) < _HEADER.size:
            return None
        direction, op, size, checksum = _HEADER.unpack_from(payload)
        body = payload[_HEADER.size :]
        return cls(op, body, checksum) if direction == _REQUEST and size == len(body) else None


@dataclass(frozen=True)
class Response:
    """A loader's answer. `status_bytes`: a ROM sends 4 of them, a stub 2; `error` 0 means done."""

    op: int
    value: int = 0
    body: bytes = b""
    error: int = 0
    status_bytes: int = 4

    def pack(self) -> bytes:
        """The payload of its frame."""
        status = bytes((1, self.error)) if self.error else bytes(2)
        body = self.body + status.ljust(self.status_bytes, b"\0")
        return _HEADER.pack(_RESPONSE, self.op, len(body), self.value) + body


def checksum(data: bytes) -> int:
    """XOR of all bytes, begun with 0xEF: what DATA commands carry."""
    return reduce(xor, data, CHECKSUM_SEED)
