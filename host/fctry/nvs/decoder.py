"""The image of an NVS partition to items, strictly: what the firmware would not read whole is refused."""

from __future__ import annotations

from fctry.errors import FormatError
from fctry.nvs.format import NAMESPACE_NS_INDEX, VERSION_OFFSETS, DataType, PageState
from fctry.nvs.item import NUMBERS, Item, ItemType, Value
from fctry.nvs.reader import Entry, read_entries, read_pages


def decode(image: bytes) -> list[Item]:
    """All items, in the order in which they were written. Raises FormatError for anything wrong with the image."""
    pages = read_pages(image)
    entries: list[Entry] = []
    for page in sorted((page for page in pages if page.is_loaded), key=lambda page: page.sequence):
        entries += read_entries(page)
    for page in pages:
        if page.state is PageState.CORRUPT:
            raise FormatError(f"page {page.number} is corrupt", hint="build the image again")
    for entry in entries:
        if entry.fault:
            raise FormatError(
                f"page {entry.page} entry {entry.number}: bad {entry.fault}", hint="build the image again"
            )
    names = {entry.data[0]: entry.key for entry in entries if entry.ns_index == NAMESPACE_NS_INDEX}
    chunks = {
        (entry.ns_index, entry.raw_key, entry.chunk_index): entry
        for entry in entries
        if entry.type == DataType.BLOB_DATA
    }
    items = []
    for entry in entries:
        if entry.ns_index == NAMESPACE_NS_INDEX or entry.type == DataType.BLOB_DATA:
            continue
        if entry.ns_index not in names:
            raise FormatError(
                f"key {entry.key!r} in a namespace without a name", hint="build the image again"
            )
        items.append(Item(names[entry.ns_index], entry.key, *_value(entry, chunks)))
    return items


def _value(entry: Entry, chunks: dict[tuple[int, bytes, int], Entry]) -> tuple[ItemType, Value]:
    if entry.type == DataType.SZ:
        return ItemType.STR, entry.payload[:-1].decode()
    if entry.type == DataType.BLOB:
        return ItemType.BLOB, entry.payload
    if entry.type == DataType.BLOB_IDX:
        size_bytes, chunk_count, chunk_start = entry.blob_index
        if chunk_start not in VERSION_OFFSETS:
            raise FormatError(f"blob {entry.key!r}: bad chunk start", hint="build the image again")
        parts = [chunks.get((entry.ns_index, entry.raw_key, chunk_start + i)) for i in range(chunk_count)]
        blob = b"".join(part.payload for part in parts if part)
        if None in parts or len(blob) != size_bytes:
            raise FormatError(f"blob {entry.key!r}: a chunk is missing", hint="build the image again")
        return ItemType.BLOB, blob
    item_type = ItemType[DataType(entry.type).name]
    return item_type, NUMBERS[item_type].unpack_from(entry.data)[0]
