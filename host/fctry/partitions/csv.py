"""Partition tables as CSV, as ESP-IDF's gen_esp32part.py reads and writes them."""

from __future__ import annotations

from pathlib import Path

from fctry.errors import InputError
from fctry.partitions.checker import enforced_findings
from fctry.partitions.keywords import FLAGS, Keywords, subtype_name, type_name
from fctry.partitions.layout import Layout, parse_layout, read_layout
from fctry.partitions.options import Options
from fctry.partitions.table import Partition, PartitionTable


def read_csv(path: Path, options: Options | None = None) -> PartitionTable:
    """The partition table in the CSV file `path`.

    Raises InputError with file, line and remedy for the first thing for which gen_esp32part.py would refuse it.
    """
    return table_of(read_layout(path, options))


def parse_csv(text: str, *, file: str | Path = "", options: Options | None = None) -> PartitionTable:
    """The partition table in `text`; `file` is for messages. Raises InputError as read_csv does."""
    return table_of(parse_layout(text, file=file, options=options))


def table_of(layout: Layout) -> PartitionTable:
    """The table of a layout. Raises InputError as read_csv does."""
    first = min(enforced_findings(layout), key=lambda finding: finding.line, default=None)
    if first:
        raise InputError(first.message, hint=first.hint, file=layout.file or None, line=first.line or None)
    return layout.table


def format_csv(table: PartitionTable, keywords: Keywords | None = None) -> str:
    """`table` as CSV with names for numbers, offsets in hex, sizes in M, K or bytes.

    Raises InputError for a name that a CSV cannot carry; only a table that was made otherwise has one.
    """
    lines = ["# ESP-IDF Partition Table", "# Name, Type, SubType, Offset, Size, Flags"]
    lines += [_line(partition, keywords or Keywords()) for partition in table]
    return "\n".join(lines) + "\n"


def _line(partition: Partition, keywords: Keywords) -> str:
    name = partition.name
    if (
        not name.isprintable()
        or "," in name
        or name != name.strip()
        or name.startswith("#")
        or len(name.splitlines()) > 1
    ):
        raise InputError(f"the name {name!r} cannot be written in a CSV", hint="rename the partition")
    flags = [flag for flag in FLAGS if getattr(partition, flag)]
    return ",".join(
        (
            name,
            type_name(partition.type),
            subtype_name(partition.type, partition.subtype, keywords),
            hex(partition.offset),
            _size(partition.size_bytes),
            ":".join(flags),
        )
    )


def _size(size_bytes: int) -> str:
    for unit, letter in ((1 << 20, "M"), (1 << 10, "K")):
        if size_bytes and size_bytes % unit == 0:
            return f"{size_bytes // unit}{letter}"
    return str(size_bytes)  # decimal, because pytest-embedded reads it so; gen_esp32part.py writes hex here
