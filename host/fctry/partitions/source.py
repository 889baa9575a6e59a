"""A layout from whatever file has one: a CSV, a binary table, or a dump of a flash."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from fctry.errors import FormatError
from fctry.files import read_file
from fctry.partitions.layout import Layout, layout_of_csv, layout_of_table
from fctry.partitions.options import Options
from fctry.partitions.table import MAGIC, PartitionTable


def open_layout(path: Path, options: Options | None = None) -> Layout:
    """The layout in `path`. In a binary, "line" is the number of the entry.

    Raises InputError when the file cannot be read, and FormatError when it is a binary table that is damaged.
    """
    options = options or Options()
    data = read_file(path)
    if is_binary(data, options.table_offset):
        return layout_of_table(table_in(data, options.table_offset, file=path), options=options)
    return layout_of_csv(data, file=path, options=options)


def is_binary(data: bytes, table_offset: int) -> bool:
    """Whether `data` is a binary table, or a flash dump with one at `table_offset`."""
    return data.startswith(MAGIC) or data[table_offset : table_offset + len(MAGIC)] == MAGIC


def table_in(data: bytes, table_offset: int, *, file: str | Path = "") -> PartitionTable:
    """The table that `data` starts with, or that is at `table_offset` of a flash dump. Raises FormatError."""
    from fctry.partitions.binary import (
        unpack,  # with hashlib it takes a fifth of the time of a check, and is not for a CSV
    )

    start = 0 if data.startswith(MAGIC) else table_offset
    if start >= len(data):
        raise FormatError(
            f"no partition table: {len(data):#x} bytes, which do not reach {start:#x}",
            hint="give a binary table, or a flash dump from address 0; --table-offset says where the table is in it",
            file=file or None,
            offset=start,
        )
    try:
        return replace(unpack(data[start:]), file=str(file))
    except FormatError as error:
        raise FormatError(
            error.message,
            hint=error.hint,
            file=file or None,
            offset=None if error.offset is None else start + error.offset,
        ) from None
