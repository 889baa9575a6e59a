"""Show a binary partition table as CSV: from its file, from a flash dump, or from a connected board.

fctry layout read partition-table.bin
fctry layout read --port /dev/ttyUSB0 -o found.csv
"""

from __future__ import annotations

from fctry.cli.arguments import Argument, Arguments, Option, UsageError, path
from fctry.cli.options import table_offset
from fctry.files import keep_inputs, read_file, write_file
from fctry.partitions.csv import format_csv
from fctry.partitions.source import table_in
from fctry.partitions.table import TABLE_OFFSET, TABLE_SECTOR_BYTES, PartitionTable

PARAMETERS = (
    Argument("bin", required=False, type=path, metavar="TABLE", help="binary table, or a dump of the flash"),
    Option("--port", "-p", metavar="PORT", help="read a connected device in place of a file"),
    Option(
        "-o",
        "--output",
        type=path,
        default="-",
        metavar="FILE",
        help="where the CSV goes (default: standard output)",
    ),
    table_offset(),
)


def run(args: Arguments) -> int:
    offset = TABLE_OFFSET if args.table_offset is None else args.table_offset
    if (args.port is None) == (args.bin is None):
        raise UsageError("give TABLE or --port, one of them")
    if args.port:
        table = table_of_board(args.port, offset)
    else:
        table = table_in(read_file(args.bin), offset, file=args.bin)
    keep_inputs([args.output], [args.bin])
    write_file(args.output, format_csv(table).encode())
    return 0


def table_of_board(port: str, offset: int) -> PartitionTable:
    """The table at this address in the flash of a connected board."""
    from fctry.device.flasher import connect

    with connect(port) as chip:
        return table_in(chip.read(offset, TABLE_SECTOR_BYTES), 0, file=port)
