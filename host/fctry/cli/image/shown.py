"""How an item looks: short, whole, and as JSON."""

from __future__ import annotations

from typing import Any

from fctry.nvs.item import Item
from fctry.nvs.picture import printable
from fctry.nvs.values import value_as_json

VALUE_WIDTH = 60


def text_of(item: Item) -> str:
    """A value on one line; what is not printable in a string is escaped."""
    if isinstance(item.value, bytes):
        return item.value.hex()
    if isinstance(item.value, str) and not item.value.isprintable():
        return item.value.encode("unicode_escape").decode()
    return str(item.value)


def short_text_of(item: Item) -> str:
    """A value on one line, cut to a width."""
    text = text_of(item)
    if len(text) <= VALUE_WIDTH or not isinstance(item.value, (bytes, str)):
        return text
    raw = item.value if isinstance(item.value, bytes) else item.value.encode(errors="surrogateescape")
    return f"{text[:VALUE_WIDTH]}… ({len(raw)} bytes)"


def as_json(item: Item) -> dict[str, Any]:
    """An item as the firmware reports it."""
    names = {"namespace": printable(item.namespace), "key": printable(item.key), "type": item.type.value}
    return {**names, **value_as_json(item.value)}
