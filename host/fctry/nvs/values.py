"""The values of a partition's keys, as the firmware reads them, and those that it has erased.

Source: ESP-IDF v5.5.5, components/nvs_flash/src/nvs_storage.cpp (readItem, readMultiPageBlob).
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any, NamedTuple

from fctry.nvs.contents import Contents
from fctry.nvs.format import CHUNK_ANY, NAMESPACE_NS_INDEX, DataType, text_of
from fctry.nvs.item import NUMBERS, Item, ItemType, Value
from fctry.nvs.reader import Entry, read_erased


class Stored(NamedTuple):
    """An item, and the entry that the firmware finds it by."""

    item: Item
    entry: Entry


def read_items(contents: Contents) -> list[Stored]:
    """What the firmware reads, in the order in which it was written. What it finds damaged is left out."""
    stored = []
    for entries in contents.keys.values():
        entry = contents.valid(entries)
        value = _value(contents, entry)
        if value and entry.ns_index in contents.namespaces:
            stored.append(Stored(Item(contents.namespaces[entry.ns_index], entry.key, *value), entry))
    return stored


def read_erased_items(contents: Contents) -> list[Stored]:
    """Values that were erased or overwritten and are still in the flash, blobs of version 2 chunk by chunk."""
    erased = []
    for page in contents.pages:
        for entry in read_erased(page):
            if entry.ns_index != NAMESPACE_NS_INDEX and entry.type != DataType.BLOB_IDX:
                namespace = contents.namespaces.get(entry.ns_index, f"#{entry.ns_index}")
                erased.append(Stored(Item(namespace, entry.key, *_value_of(entry)), entry))
    return erased


def _value(contents: Contents, entry: Entry) -> tuple[ItemType, Value] | None:
    """Type and value of a key, None if the firmware does not find it, or finds it damaged."""
    if entry.fault or entry.chunk_index != CHUNK_ANY:
        return None
    if entry.type != DataType.BLOB_IDX:
        return _value_of(entry)
    blob = contents.blob(entry)
    if not blob.is_whole or any(chunk.fault for chunk in blob.chunks):
        return None
    return ItemType.BLOB, b"".join(chunk.payload for chunk in blob.chunks)


def _value_of(entry: Entry) -> tuple[ItemType, Value]:
    """Type and value that an entry holds itself; of a chunk, its part of the blob."""
    if entry.type == DataType.SZ:
        return ItemType.STR, text_of(entry.payload)
    if entry.type in (DataType.BLOB, DataType.BLOB_DATA):
        return ItemType.BLOB, entry.payload
    item_type = ItemType[DataType(entry.type).name]
    return item_type, NUMBERS[item_type].unpack_from(entry.data)[0]


def value_as_json(value: Value) -> dict[str, Any]:
    """A value as the firmware reports it: blobs, and strings that are not UTF-8, in base64."""
    if isinstance(value, bytes):
        return {"value": b64encode(value).decode()}
    if isinstance(value, str):
        raw = value.encode(errors="surrogateescape")
        if raw != value.encode(errors="replace"):
            return {"base64": b64encode(raw).decode()}
    return {"value": value}
