"""Bytes to pages and entries, as the firmware sees them when it mounts the partition. Nothing is refused here.

Source: ESP-IDF v5.5.5, components/nvs_flash/src/nvs_page.cpp (load, mLoadEntryTable, findItem), src/nvs_types.cpp
(checkHeaderConsistency).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from zlib import crc32

from fctry.errors import FormatError
from fctry.nvs.format import (
    BLOB_SIZE_BYTES_MAX,
    CHUNK_ANY,
    CRC_SEED,
    ENTRIES_OFFSET,
    ENTRY_COUNT,
    ENTRY_HEADER,
    ENTRY_SIZE_BYTES,
    INDEX_DATA,
    NAME_SIZE_BYTES_MAX,
    PAGE_HEADER,
    PAGE_SIZE_BYTES,
    STATES_OFFSET,
    VARIABLE_DATA,
    VARIABLE_LENGTH,
    DataType,
    EntryState,
    PageState,
    entry_crc,
    span_of,
    text_of,
)

EMPTY_PAGE = b"\xff" * PAGE_SIZE_BYTES
DATA_TYPES = {int(data_type): data_type for data_type in DataType}
LOADED_STATES = frozenset({PageState.ACTIVE, PageState.FULL, PageState.FREEING})


class Page(NamedTuple):
    """One page. `state` is what the firmware makes of it: a header with a bad crc means CORRUPT."""

    number: int
    data: bytes
    state: PageState
    sequence: int
    version_byte: int
    is_crc_right: bool  # of the header
    states: bytes  # EntryState of each entry

    @property
    def is_loaded(self) -> bool:
        """Whether the firmware looks for items in it."""
        return self.state in LOADED_STATES

    @property
    def visible_count(self) -> int:
        """How many entries the firmware looks at: in the active page, it stops at the first free one."""
        if self.state is PageState.ACTIVE and EntryState.EMPTY in self.states:
            return self.states.index(EntryState.EMPTY)
        return ENTRY_COUNT


class Entry(NamedTuple):
    """One entry that begins an item, with its data behind it. `fault` says what is wrong with it, or nothing."""

    page: int
    number: int
    ns_index: int
    type: int
    span: int
    chunk_index: int
    raw_key: bytes
    data: bytes  # 8 bytes of the header entry
    payload: bytes  # of a type with variable length
    fault: str = ""

    @property
    def id(self) -> tuple[int, bytes]:
        """By what the firmware tells items apart: namespace and key."""
        return self.ns_index, self.raw_key[:NAME_SIZE_BYTES_MAX].split(b"\0", 1)[0]

    @property
    def key(self) -> str:
        return text_of(self.raw_key[:NAME_SIZE_BYTES_MAX])

    @property
    def blob_index(self) -> tuple[int, int, int]:
        """Size in bytes, number of chunks and first chunk_index of a BLOB_IDX."""
        size_bytes, chunk_count, chunk_start, _ = INDEX_DATA.unpack(self.data)
        return size_bytes, chunk_count, chunk_start


def read_pages(image: bytes) -> list[Page]:
    """All pages in the order of the flash. Raises FormatError for a size that is no number of pages."""
    if not image or len(image) % PAGE_SIZE_BYTES:
        raise FormatError(
            f"{len(image)} bytes are no NVS partition",
            hint=f"it is a multiple of {PAGE_SIZE_BYTES} bytes: was the whole partition read?",
        )
    return [
        _read_page(offset // PAGE_SIZE_BYTES, image[offset : offset + PAGE_SIZE_BYTES])
        for offset in range(0, len(image), PAGE_SIZE_BYTES)
    ]


_STATES_OF_BYTE = [bytes(byte >> shift & 3 for shift in range(0, 8, 2)) for byte in range(256)]


def _read_page(number: int, data: bytes) -> Page:
    raw_state, sequence, version_byte, crc = PAGE_HEADER.unpack_from(data)
    is_crc_right = crc == crc32(data[4:28], CRC_SEED)
    state = PageState.CORRUPT
    if raw_state == PageState.UNINITIALIZED:
        if data == EMPTY_PAGE:
            state = PageState.UNINITIALIZED
    elif is_crc_right and raw_state in LOADED_STATES:
        state = PageState(raw_state)
    states = b"".join(map(_STATES_OF_BYTE.__getitem__, data[STATES_OFFSET:ENTRIES_OFFSET]))[:ENTRY_COUNT]
    return Page(number, data, state, sequence, version_byte, is_crc_right, states)


def read_entries(page: Page) -> Iterator[Entry]:
    """The items that the firmware finds in a page, in order, and what it finds wrong as entries with a fault."""
    number = 0
    end = page.visible_count if page.is_loaded else 0
    while number < end:
        span = 1
        if page.states[number] == EntryState.WRITTEN:
            entry = _read_entry(page, number, EntryState.WRITTEN)
            span = entry.span if entry.fault in ("", "data") else 1
            yield entry
        elif page.states[number] == EntryState.ILLEGAL:
            yield _read_entry(page, number, EntryState.WRITTEN)._replace(fault="state")
        number += span


def read_erased(page: Page) -> Iterator[Entry]:
    """Items that were erased or overwritten and can still be read: flash keeps them until the page is erased."""
    number = 0
    while number < ENTRY_COUNT:
        span = 1
        if page.states[number] == EntryState.ERASED:
            entry = _read_entry(page, number, EntryState.ERASED)
            if not entry.fault:
                span = entry.span
                yield entry
        number += span


def _read_entry(page: Page, number: int, state: EntryState) -> Entry:
    """The item at an entry; those of its data must have the same `state`."""
    offset = ENTRIES_OFFSET + number * ENTRY_SIZE_BYTES
    head, crc, raw_key, data = ENTRY_HEADER.unpack_from(page.data, offset)
    ns_index, type_code, span, chunk_index = head
    entry = Entry(page.number, number, ns_index, type_code, span, chunk_index, raw_key, data, b"")
    if crc != entry_crc(head, raw_key, data):
        return entry._replace(fault="crc")
    fault = _inconsistency(entry)
    if fault or type_code not in VARIABLE_LENGTH:
        return entry._replace(fault=fault)
    if page.states[number : number + span] != bytes([state]) * span:
        return entry._replace(fault="span-state")
    size_bytes, _, data_crc = VARIABLE_DATA.unpack(data)
    payload = page.data[offset + ENTRY_SIZE_BYTES : offset + ENTRY_SIZE_BYTES + size_bytes]
    return entry._replace(payload=payload, fault="" if crc32(payload, CRC_SEED) == data_crc else "data")


def _inconsistency(entry: Entry) -> str:
    """What is wrong with an entry whose crc is right: the firmware would drop it all the same."""
    data_type = DATA_TYPES.get(entry.type)
    if data_type is None:
        return "type"
    if data_type in VARIABLE_LENGTH:
        size_bytes, _, _ = VARIABLE_DATA.unpack(entry.data)
        if entry.number + entry.span > ENTRY_COUNT or entry.span != span_of(size_bytes):
            return "span"
        return "chunk" if data_type is DataType.BLOB_DATA and entry.chunk_index == CHUNK_ANY else ""
    if entry.span != 1:
        return "span"
    if data_type is DataType.BLOB_IDX and (
        entry.chunk_index != CHUNK_ANY or entry.blob_index[0] > BLOB_SIZE_BYTES_MAX
    ):
        return "chunk"
    return ""
