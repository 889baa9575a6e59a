"""The NVS format of ESP-IDF: items to partition images and back, without an ESP-IDF.

What is imported from here is loaded when it is first asked for: a program that only reads does not pay for writing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fctry.nvs.csv import read_csv
    from fctry.nvs.decoder import decode
    from fctry.nvs.encoder import Layout, encode
    from fctry.nvs.item import Item, ItemType, Value

__all__ = ["Item", "ItemType", "Layout", "Value", "decode", "encode", "read_csv"]

_MODULES = {
    "Item": "item",
    "ItemType": "item",
    "Layout": "encoder",
    "Value": "item",
    "decode": "decoder",
    "encode": "encoder",
    "read_csv": "csv",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
