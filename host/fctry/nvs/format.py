"""What is on the flash: pages, entries, their numbers and their checksums. No I/O, no meaning.

Source: ESP-IDF v5.5.5 and v6.1-beta1, components/nvs_flash: private_include/nvs_constants.h, src/nvs_page.hpp,
src/nvs_types.hpp, src/nvs_types.cpp, include/nvs_handle.hpp (ItemType).

    page, 4096 bytes          header 32 │ entry states 32 │ 126 entries of 32
    header                    state 4 │ sequence 4 │ version 1 │ FF 19 │ crc 4
    entry                     ns_index 1 │ type 1 │ span 1 │ chunk_index 1 │ crc 4 │ key 16 │ data 8
"""

from __future__ import annotations

from enum import IntEnum
from struct import Struct
from zlib import crc32

PAGE_SIZE_BYTES = 4096
ENTRY_SIZE_BYTES = 32
ENTRY_COUNT = 126  # per page
STATES_OFFSET = 32
ENTRIES_OFFSET = 64

NAMESPACE_NS_INDEX = 0  # the entries that name the namespaces live in namespace 0
NAMESPACE_COUNT_MAX = 254  # 0 and 255 are taken
CHUNK_ANY = 0xFF  # chunk_index of everything that is not a BLOB_DATA
VERSION_OFFSETS = (
    0x00,
    0x80,
)  # chunk_index of the first chunk: a rewritten blob changes from one to the other

READ_WRITE_PAGES_MIN = 3  # one that is written to needs a spare page to move data to

NAME_SIZE_BYTES_MAX = 15  # keys and namespaces, in bytes of UTF-8
STRING_SIZE_BYTES_MAX = 4000  # with its NUL
BLOB_SIZE_BYTES_MAX = 508_000  # V2: 127 chunks of 4000
V1_VALUE_SIZE_BYTES_MAX = 1984

VERSION_BYTES = {1: 0xFF, 2: 0xFE}  # format version -> its byte in the page header


class PageState(IntEnum):
    """Each step clears one more bit, as NOR flash allows."""

    UNINITIALIZED = 0xFFFFFFFF
    ACTIVE = 0xFFFFFFFE
    FULL = 0xFFFFFFFC
    FREEING = 0xFFFFFFF8
    CORRUPT = 0xFFFFFFF0


class EntryState(IntEnum):
    """Two bits per entry, the first entry in the lowest bits."""

    EMPTY = 3
    WRITTEN = 2
    ILLEGAL = 1
    ERASED = 0


class DataType(IntEnum):
    """The firmware's ItemType. The low half of a number's code is its size in bytes."""

    U8 = 0x01
    U16 = 0x02
    U32 = 0x04
    U64 = 0x08
    I8 = 0x11
    I16 = 0x12
    I32 = 0x14
    I64 = 0x18
    SZ = 0x21
    FLOAT = 0x24  # FLOAT and DOUBLE: firmware v6.1 and later
    DOUBLE = 0x28
    BLOB = 0x41  # version 1: a blob in one page
    BLOB_DATA = 0x42  # version 2: one chunk of a blob
    BLOB_IDX = 0x48  # version 2: how many chunks, how many bytes


VARIABLE_LENGTH = frozenset({DataType.SZ, DataType.BLOB, DataType.BLOB_DATA})

PAGE_HEADER = Struct("<IIB19xI")  # state, sequence, version, crc
ENTRY_HEADER = Struct("<4sI16s8s")  # head (ns_index, type, span, chunk_index), crc, key, data
VARIABLE_DATA = Struct("<HHI")  # size_bytes, reserved FFFF, crc of the data
INDEX_DATA = Struct("<IBBH")  # size_bytes, chunk_count, chunk_start, reserved FFFF
CRC = Struct("<I")
assert PAGE_HEADER.size == ENTRY_HEADER.size == ENTRY_SIZE_BYTES

CRC_SEED = (
    0xFFFFFFFF  # esp_rom_crc32_le(0xFFFFFFFF, …); zlib.crc32 inverts on the way in and out as the ROM does
)


def page_header(state: PageState, sequence: int, version: int) -> bytes:
    """32 bytes; the crc covers all but the state, which changes in place."""
    body = CRC.pack(sequence) + bytes([VERSION_BYTES[version]]) + b"\xff" * 19
    return CRC.pack(state) + body + CRC.pack(crc32(body, CRC_SEED))


def entry_crc(head: bytes, key: bytes, data: bytes) -> int:
    """Crc of an entry: its first 4 bytes, its key's 16 and its data's 8."""
    return crc32(data, crc32(key, crc32(head, CRC_SEED)))


def entry_hash(ns_index: int, key: bytes, chunk_index: int) -> int:
    """The 24 bits by which the firmware finds an entry again within a page.

    Source: Item::calculateCrc32WithoutValue and HashList::insert (src/nvs_item_hash_list.cpp).
    """
    return crc32(bytes([chunk_index]), crc32(key, crc32(bytes([ns_index]), CRC_SEED))) & 0xFFFFFF


def span_of(size_bytes: int) -> int:
    """Entries taken by a value of variable length: one for its header, and its data in 32s."""
    return 1 + -(-size_bytes // ENTRY_SIZE_BYTES)


def text_of(raw: bytes) -> str:
    """A name or a string as text: up to its NUL. Bytes that are no UTF-8 become lone surrogates, as PEP 383 has it."""
    return raw.split(b"\0", 1)[0].decode(errors="surrogateescape")
