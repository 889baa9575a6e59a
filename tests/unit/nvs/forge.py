"""Partitions made by hand, entry by entry, right or wrong: what no encoder would write."""

from __future__ import annotations

from zlib import crc32

from fctry.nvs.format import (
    CRC_SEED,
    ENTRY_HEADER,
    ENTRY_SIZE_BYTES,
    INDEX_DATA,
    PAGE_SIZE_BYTES,
    VARIABLE_DATA,
    DataType,
    EntryState,
    PageState,
    entry_crc,
    page_header,
)

FREE_PAGE = b"\xff" * PAGE_SIZE_BYTES
Piece = tuple[bytes, EntryState]  # entries, and the state of all of them


def entry(
    ns_index: int,
    data_type: int,
    key: str,
    data: bytes,
    *,
    span: int = 1,
    chunk_index: int = 0xFF,
    state: EntryState = EntryState.WRITTEN,
) -> Piece:
    """One entry with the right crc."""
    raw_key = key.encode().ljust(16, b"\0")
    head = bytes([ns_index, data_type, span, chunk_index])
    data = data.ljust(8, b"\xff")
    return ENTRY_HEADER.pack(head, entry_crc(head, raw_key, data), raw_key, data), state


def namespace(name: str, number: int = 1) -> Piece:
    return entry(0, DataType.U8, name, bytes([number]))


def u8(key: str, value: int = 0, ns_index: int = 1, **fields: int) -> Piece:
    return entry(ns_index, DataType.U8, key, bytes([value]), **fields)  # type: ignore[arg-type]


def long_value(
    data_type: DataType,
    key: str,
    payload: bytes,
    *,
    ns_index: int = 1,
    chunk_index: int = 0xFF,
    state: EntryState = EntryState.WRITTEN,
) -> Piece:
    """An entry with its data behind it: a string, a blob of version 1 or a chunk."""
    data = VARIABLE_DATA.pack(len(payload), 0xFFFF, crc32(payload, CRC_SEED))
    span = 1 + -(-len(payload) // ENTRY_SIZE_BYTES)
    head, _ = entry(ns_index, data_type, key, data, span=span, chunk_index=chunk_index)
    return head + payload.ljust((span - 1) * ENTRY_SIZE_BYTES, b"\xff"), state


def string(key: str, text: bytes, **fields: int) -> Piece:
    return long_value(DataType.SZ, key, text, **fields)  # type: ignore[arg-type]


def chunk(key: str, payload: bytes, chunk_index: int, **fields: int) -> Piece:
    return long_value(DataType.BLOB_DATA, key, payload, chunk_index=chunk_index, **fields)  # type: ignore[arg-type]


def blob_index(key: str, size_bytes: int, count: int, start: int = 0, ns_index: int = 1) -> Piece:
    return entry(ns_index, DataType.BLOB_IDX, key, INDEX_DATA.pack(size_bytes, count, start, 0xFFFF))


def page(*pieces: Piece, state: PageState = PageState.ACTIVE, sequence: int = 0, version: int = 2) -> bytes:
    """A page with these entries from its start."""
    body = b"".join(content for content, _ in pieces)
    bits = (1 << 256) - 1
    number = 0
    for content, entry_state in pieces:
        for _ in range(len(content) // ENTRY_SIZE_BYTES):
            bits &= ~((EntryState.EMPTY ^ entry_state) << 2 * number)
            number += 1
    return (page_header(state, sequence, version) + bits.to_bytes(32, "little") + body).ljust(
        PAGE_SIZE_BYTES, b"\xff"
    )


def partition(*pages: bytes, pages_total: int = 3) -> bytes:
    return b"".join(pages).ljust(pages_total * PAGE_SIZE_BYTES, b"\xff")
