"""Partition tables of ESP-IDF: CSV and binary, what is wrong with a layout, and what a project's sdkconfig says of it.

What is imported from here is loaded when it is first asked for: a program that reads a binary does not pay for rules.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fctry.partitions.binary import pack, unpack
    from fctry.partitions.checker import check
    from fctry.partitions.csv import format_csv, parse_csv, read_csv
    from fctry.partitions.layout import Layout, parse_layout
    from fctry.partitions.options import Options
    from fctry.partitions.rule import Evidence
    from fctry.partitions.sdkconfig import read_sdkconfig
    from fctry.partitions.source import open_layout
    from fctry.partitions.table import Partition, PartitionTable

__all__ = [
    "Evidence",
    "Layout",
    "Options",
    "Partition",
    "PartitionTable",
    "check",
    "format_csv",
    "open_layout",
    "pack",
    "parse_csv",
    "parse_layout",
    "read_csv",
    "read_sdkconfig",
    "unpack",
]

_MODULES = {
    "binary": ("pack", "unpack"),
    "checker": ("check",),
    "csv": ("format_csv", "parse_csv", "read_csv"),
    "layout": ("Layout", "parse_layout"),
    "options": ("Options",),
    "rule": ("Evidence",),
    "sdkconfig": ("read_sdkconfig",),
    "source": ("open_layout",),
    "table": ("Partition", "PartitionTable"),
}


def __getattr__(name: str) -> Any:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
