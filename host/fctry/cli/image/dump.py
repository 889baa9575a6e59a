"""The partition that is meant in the dump of a whole flash. Imports nothing more for what is no such dump."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from fctry.cli.arguments import Arguments, Option, panel
from fctry.cli.options import table_offset
from fctry.cli.text import escaped
from fctry.errors import FormatError, InputError

if TYPE_CHECKING:
    from pathlib import Path

    from fctry.partitions.table import PartitionTable

TABLE_MAGIC = b"\xaa\x50"
NVS_STARTS = (b"\xfe\xff\xff\xff", b"\xfc\xff\xff\xff", b"\xf8\xff\xff\xff")  # states of a page in use
SECTOR_BYTES = 0x1000
FLASH_BYTES_MIN = 0x100000  # NVS partitions are smaller


DUMP = panel(
    "The dump of a whole flash",
    Option("--partition", metavar="NAME", help="the partition to read of it (default: the project's)"),
    table_offset(),
    Option("--whole", is_flag=True, help="it is none: all of the file is one partition"),
)


class Where(NamedTuple):
    """Where in a file the partition is, as the options say."""

    partition: str | None
    table_offset: int | None
    is_whole: bool


def where_in(args: Arguments) -> Where:
    """What the options DUMP say."""
    return Where(args.partition, args.table_offset, args.whole)


def partition_in(path: str | Path, data: bytes, where: Where) -> tuple[bytes, bool]:
    """The partition in a file, which is all of it unless it is the dump of a flash, and whether it is readonly.

    Raises InputError or FormatError for a dump without a table, and for a partition that is not in it.
    """
    offsets = [at for at in range(SECTOR_BYTES, len(data), SECTOR_BYTES) if data.startswith(TABLE_MAGIC, at)]
    is_dump = where.table_offset is not None or (
        not data.startswith(NVS_STARTS) and (offsets or len(data) >= FLASH_BYTES_MIN)
    )
    if where.is_whole or not is_dump:
        return data, False
    table = _table_in(path, data, where.table_offset, offsets)
    if table is None:
        if len(data) < FLASH_BYTES_MIN:
            return data, False
        raise InputError(
            "no partition table: whose data is where cannot be known",
            hint="--table-offset says where the table is; --whole, that the file is one partition",
            file=path,
        )
    from fctry.partitions.layout import layout_of_table
    from fctry.project import check_partition, factory_partition_of
    from fctry.settings import find_settings

    name = where.partition or find_settings().partition
    check_partition(table, partition := factory_partition_of(layout_of_table(table), name))
    found = f"at {partition.offset:#x}, {partition.size_bytes:#x} bytes"
    if len(data) < partition.end:
        message = f"`{partition.name}` is {found}, the dump has {len(data):#x}"
        raise FormatError(message, hint="read all of the flash: read-flash 0 ALL", file=path)
    print(f"{path}: `{escaped(partition.name)}` {found}", file=sys.stderr)
    return data[partition.offset : partition.end], partition.readonly


def _table_in(path: str | Path, data: bytes, said: int | None, offsets: list[int]) -> PartitionTable | None:
    """The table at the offset that was said, else at the usual one, else the only one anywhere.

    Raises FormatError when that table is damaged, InputError when there are several elsewhere.
    """
    from fctry.partitions.source import table_in
    from fctry.partitions.table import TABLE_OFFSET

    if said is not None or TABLE_OFFSET in offsets:
        return table_in(data[TABLE_OFFSET if said is None else said :], 0, file=path)
    tables = {}
    for offset in offsets:
        with suppress(FormatError):
            tables[offset] = table_in(data[offset : offset + SECTOR_BYTES], 0, file=path)
    if len(tables) > 1:
        places = ", ".join(map(hex, tables))
        raise InputError(
            f"several partition tables: at {places}", hint="choose one: --table-offset", file=path
        )
    return next(iter(tables.values()), None)
