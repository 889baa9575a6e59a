"""The NVS format of ESP-IDF: items to partition images and back, without an ESP-IDF.

What is imported from here is loaded when it is first asked for: a program that only reads does not pay for writing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fctry.nvs.capacity import Capacity, measure
    from fctry.nvs.checker import check
    from fctry.nvs.csv import format_csv, read_csv, read_sheet
    from fctry.nvs.decoder import decode
    from fctry.nvs.difference import Difference, diff
    from fctry.nvs.encoder import ImageTemplate, encode
    from fctry.nvs.encryption import Keys, decrypt, encrypt
    from fctry.nvs.factory_image import FactoryImage, make_image
    from fctry.nvs.item import Item, ItemType, Value

__all__ = [
    "Capacity",
    "Difference",
    "FactoryImage",
    "ImageTemplate",
    "Item",
    "ItemType",
    "Keys",
    "Value",
    "check",
    "decode",
    "decrypt",
    "diff",
    "encode",
    "encrypt",
    "format_csv",
    "make_image",
    "measure",
    "read_csv",
    "read_sheet",
]

SECRET_NAMESPACES = ("secrets",)  # here, for a project names them that reads no image

_MODULES = {
    "capacity": ("Capacity", "measure"),
    "checker": ("check",),
    "csv": ("format_csv", "read_csv", "read_sheet"),
    "decoder": ("decode",),
    "difference": ("Difference", "diff"),
    "encoder": ("ImageTemplate", "encode"),
    "encryption": ("Keys", "decrypt", "encrypt"),
    "factory_image": ("FactoryImage", "make_image"),
    "item": ("Item", "ItemType", "Value"),
}


def __getattr__(name: str) -> Any:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
