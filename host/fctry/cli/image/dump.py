"""The partition that is meant: in the dump of a whole flash, or on a device. Imports nothing more for a plain image."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from fctry.cli.arguments import Arguments, Option, UsageError, panel
from fctry.cli.options import table_offset
from fctry.cli.text import escaped
from fctry.errors import FormatError, InputError

if TYPE_CHECKING:
    from pathlib import Path

    from fctry.partitions.table import Partition, PartitionTable

TABLE_MAGIC = b"\xaa\x50"
NVS_STARTS = (b"\xfe\xff\xff\xff", b"\xfc\xff\xff\xff", b"\xf8\xff\xff\xff")  # states of a page in use
SECTOR_BYTES = 0x1000
FLASH_BYTES_MIN = 0x100000  # NVS partitions are smaller


DUMP = panel(
    "The dump of a whole flash",
    Option(
        "--partition",
        metavar="NAME",
        help="the partition to read of it (default: the project's factory partition)",
    ),
    table_offset("where a table is found; on a device the project's"),
    Option("--whole", is_flag=True, help="the file is one partition, even if it looks like a dump"),
)


PORT = Option("--port", "-p", metavar="PORT", help="read a connected device in place of a file")


SomePath = TypeVar("SomePath", str, "Path")


class Port(str):
    """The port of a device that is read in place of a file."""


class Where(NamedTuple):
    """Where in a file the partition is, as the options say."""

    partition: str | None
    table_offset: int | None
    is_whole: bool


def where_in(args: Arguments) -> Where:
    """What the options DUMP say."""
    return Where(args.partition, args.table_offset, args.whole)


def given(image: SomePath | None, args: Arguments) -> SomePath | Port:
    """The image, or the device in its place. Raises UsageError unless it is one of them."""
    if (image is None) == (args.port is None):
        raise UsageError("give an image or --port, one of them")
    return Port(args.port) if image is None else image


def content_of(source: Path | Port, where: Where) -> bytes:
    """The partition in a file or on a device. Raises what `partition_in`, `partition_on` and reading a file raise."""
    if isinstance(source, Port):
        return partition_on(source, where)[0]
    from fctry.files import read_file

    return partition_in(source, read_file(source), where)[0]


def partition_on(port: Port, where: Where) -> tuple[bytes, bool]:
    """The partition on a device, by its own table, and whether it is readonly. Raises DeviceError and PortError, and
    FormatError for a device without a table.
    """
    from fctry.device.flasher import connect
    from fctry.partitions.source import table_in
    from fctry.project import open_project
    from fctry.settings import find_settings

    offset = where.table_offset
    if offset is None:
        offset = open_project(find_settings()).options.table_offset
    with connect(port) as chip:
        partition = _chosen(table_in(chip.read(offset, SECTOR_BYTES), 0, file=port), where, port)
        return chip.read(partition.offset, partition.size_bytes), partition.readonly


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
    partition = _chosen(table, where, path)
    if len(data) < partition.end:
        message = f"`{partition.name}` ends at {partition.end:#x}, the dump at {len(data):#x}"
        raise FormatError(message, hint="read all of the flash: read-flash 0 ALL", file=path)
    return data[partition.offset : partition.end], partition.readonly


def _chosen(table: PartitionTable, where: Where, source: str | Path) -> Partition:
    """The partition that is meant, and which it is on stderr. Raises InputError."""
    from fctry.partitions.layout import layout_of_table
    from fctry.project import check_partition, factory_partition_of
    from fctry.settings import find_settings

    name = where.partition or find_settings().partition
    check_partition(table, partition := factory_partition_of(layout_of_table(table), name))
    found = f"at {partition.offset:#x}, {partition.size_bytes:#x} bytes"
    print(f"{source}: `{escaped(partition.name)}` {found}", file=sys.stderr)
    return partition


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
