"""Partition tables: build the binary from the CSV, and read it back."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from fctry.errors import InputError

EXIT_DONE = 0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    _add_build(
        actions.add_parser("build", help="make the binary table from a CSV", description=build.__doc__)
    )
    _add_read(actions.add_parser("read", help="show a binary table as CSV", description=read.__doc__))


def run(args: argparse.Namespace) -> int:
    return int(args.action_run(args))


def _add_build(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("csv", type=Path, metavar="CSV", help="partition table as ESP-IDF has it")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="BIN", help="binary table to write"
    )
    parser.set_defaults(action_run=build)


def _add_read(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bin", type=Path, metavar="BIN", help="binary table, or a dump of the flash")
    parser.add_argument(
        "--table-offset", type=_number, default=0x8000, metavar="N", help="where it is in a dump (0x8000)"
    )
    parser.add_argument(
        "-o", "--output", type=Path, metavar="CSV", help="CSV to write instead of printing it"
    )
    parser.set_defaults(action_run=read)


def _number(text: str) -> int:
    return int(text, 0)


def build(args: argparse.Namespace) -> int:
    """Make the binary partition table, byte for byte as gen_esp32part.py does."""
    from fctry.partitions.binary import pack
    from fctry.partitions.csv import read_csv
    from fctry.partitions.options import Options

    table = read_csv(args.csv, Options(variables=dict(os.environ)))
    write_atomically(args.output, pack(table))
    return EXIT_DONE


def read(args: argparse.Namespace) -> int:
    """Show a binary partition table as CSV."""
    from fctry.partitions.binary import MAGIC, unpack
    from fctry.partitions.csv import format_csv
    from fctry.partitions.layout import read_bytes

    data = read_bytes(args.bin)
    text = format_csv(unpack(data if data.startswith(MAGIC) else data[args.table_offset :]))
    if args.output:
        write_atomically(args.output, text.encode())
    else:
        sys.stdout.write(text)
    return EXIT_DONE


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file that is either whole or, after a failure, what it was before. Raises InputError."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise InputError(f"cannot be written: {error.strerror}", file=path) from None
