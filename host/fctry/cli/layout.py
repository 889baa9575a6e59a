"""Partition tables: check a CSV before a device does, draw it, build its binary, and read one back.

fctry layout check partitions.csv
fctry layout check partitions.csv --build build --against released.csv --strict
fctry layout show partitions.csv --svg partitions.svg
fctry layout build partitions.csv -o partition-table.bin
fctry layout read flash-dump.bin
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fctry.cli.files import keep_inputs, write_file
from fctry.cli.project import add_project, add_table_offset, project_of
from fctry.errors import InputError

if TYPE_CHECKING:
    from fctry.partitions.check import Evidence
    from fctry.partitions.layout import Layout
    from fctry.partitions.table import PartitionTable
    from fctry.project import Project

EXIT_DONE, EXIT_FAILED = 0, 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    _add_check(actions.add_parser("check", help="say what is wrong with a table", description=check.__doc__))
    _add_show(actions.add_parser("show", help="draw a map of the flash", description=show.__doc__))
    _add_build(
        actions.add_parser("build", help="make the binary table from a CSV", description=build.__doc__)
    )
    _add_read(actions.add_parser("read", help="show a binary table as CSV", description=read.__doc__))


def run(args: argparse.Namespace) -> int:
    return int(args.action_run(args))


def _add_check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("partitions", type=Path, metavar="TABLE", help="CSV, binary table or flash dump")
    parser.add_argument(
        "--against", type=Path, metavar="OLD", help="the table that devices in the field have"
    )
    parser.add_argument(
        "--image", type=Path, metavar="BIN", help="image that the factory partition shall hold"
    )
    parser.add_argument("--port", metavar="PORT", help="board whose table must be this one")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print the findings as JSON")
    form.add_argument("--sarif", action="store_true", help="print the findings as SARIF, for code review")
    parser.add_argument("--strict", action="store_true", help="fail on warnings too")
    _add_factory(parser)
    add_project(parser)
    parser.set_defaults(action_run=check)


def _add_show(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("partitions", type=Path, metavar="TABLE", help="CSV, binary table or flash dump")
    parser.add_argument("--against", type=Path, metavar="OLD", help="table to show beside it")
    parser.add_argument("--svg", type=Path, metavar="SVG", help="write a drawing instead of printing a map")
    _add_factory(parser)
    add_project(parser)
    parser.set_defaults(action_run=show)


def _add_build(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("partitions", type=Path, metavar="CSV", help="partition table as ESP-IDF has it")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="BIN", help="binary table to write"
    )
    add_project(parser)
    parser.set_defaults(action_run=build)


def _add_read(parser: argparse.ArgumentParser) -> None:
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "bin", type=Path, nargs="?", metavar="BIN", help="binary table, or a dump of the flash"
    )
    source.add_argument("--port", metavar="PORT", help="board to read it from")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="CSV", help="CSV to write instead of printing it"
    )
    add_table_offset(parser)
    parser.set_defaults(action_run=read)


def _add_factory(parser: argparse.ArgumentParser) -> None:
    text = "the factory partition (default: fctry, or else NVS that is readonly, or else NVS not called nvs)"
    parser.add_argument("--factory", dest="partition", metavar="NAME", help=text)


def check(args: argparse.Namespace) -> int:
    """Say everything that is wrong with a partition table, each with a remedy. Each code is explained in
    docs/layouts.md. Without --sdkconfig, an sdkconfig or sdkconfig.defaults beside the CSV is read when it is about
    that CSV. Exit code 1 on errors, and on warnings with --strict.
    """
    from fctry.partitions.check import check as findings_of
    from fctry.partitions.check import fails

    project = project_of(args)
    layout = project.layout
    evidence = _evidence(args, project, layout)
    findings = findings_of(layout, evidence)
    if args.json or args.sarif:
        import json

        from fctry.partitions.export import report, sarif

        data = sarif(findings) if args.sarif else report(layout, findings)
        print(json.dumps(data, indent=2))
    else:
        from fctry.cli.layout_text import print_findings

        print_findings(layout, findings, read_beside=project.sdkconfig.file if project.sdkconfig else "")
    return EXIT_FAILED if fails(findings, strict=args.strict) else EXIT_DONE


def _evidence(args: argparse.Namespace, project: Project, layout: Layout) -> Evidence:
    from fctry.partitions.check import Evidence
    from fctry.partitions.layout import read_bytes
    from fctry.partitions.rules.recipe import factory_entries

    if args.image and len(found := factory_entries(layout, args.partition)) != 1:
        names = ", ".join(entry.partition.name for entry in found) or "there is none"
        raise InputError(
            f"which partition is {args.image} for? ({names})",
            hint="name the factory partition with --factory",
            file=args.partitions,
        )
    return Evidence(
        factory=args.partition,
        image=read_bytes(args.image) if args.image else None,
        sdkconfig=project.sdkconfig,
        build=project.build,
        old=project.open(args.against) if args.against else None,
        device=_table_of_board(args.port, layout.options.table_offset) if args.port else None,
    )


def show(args: argparse.Namespace) -> int:
    """Draw a map of the flash to scale: partitions, boot loader and table, what is free and what alignment costs."""
    from fctry.partitions.picture.flashmap import flash_map

    project = project_of(args)
    layouts = [project.open(path) for path in (args.partitions, args.against) if path]
    maps = [
        flash_map(layout, bootloader_offset=project.bootloader_offset, factory=args.partition)
        for layout in layouts
    ]
    for layout in layouts:
        if not layout.is_complete:
            message = f"warning: not all of {layout.file} can be drawn: fctry layout check {layout.file}"
            print(message, file=sys.stderr)
    if args.svg:
        keep_inputs([args.svg], [args.partitions, args.against])
        from fctry.partitions.picture.svg import draw

        write_file(args.svg, draw(*maps).encode())
    else:
        from fctry.cli.layout_map import print_maps

        print_maps(maps)
    return EXIT_DONE


def build(args: argparse.Namespace) -> int:
    """Make the binary partition table, byte for byte as gen_esp32part.py does; what it refuses is refused."""
    from fctry.findings import Severity
    from fctry.partitions.binary import pack
    from fctry.partitions.check import check as findings_of

    keep_inputs([args.output], [args.partitions])
    project = project_of(args)
    write_file(args.output, pack(project.table, md5=project.options.md5))
    findings = findings_of(project.layout)
    if errors := sum(finding.severity is Severity.ERROR for finding in findings):
        what = "an error" if errors == 1 else f"{errors} errors"
        print(
            f"warning: {args.partitions} has {what} that a device will see: fctry layout check {args.partitions}",
            file=sys.stderr,
        )
    return EXIT_DONE


def read(args: argparse.Namespace) -> int:
    """Show a binary partition table as CSV: from its file, from a flash dump, or from a connected board."""
    from fctry.partitions.csv import format_csv
    from fctry.partitions.layout import read_bytes
    from fctry.partitions.source import table_in
    from fctry.partitions.table import TABLE_OFFSET

    offset = TABLE_OFFSET if args.table_offset is None else args.table_offset
    if args.port:
        table = _table_of_board(args.port, offset)
    else:
        table = table_in(read_bytes(args.bin), offset, file=args.bin)
    text = format_csv(table)
    if args.output:
        keep_inputs([args.output], [args.bin])
        write_file(args.output, text.encode())
    else:
        sys.stdout.buffer.write(text.encode())  # a CSV is UTF-8, whatever the terminal is
    return EXIT_DONE


def _table_of_board(port: str, offset: int) -> PartitionTable:
    from fctry.device.flasher import connect
    from fctry.partitions.source import table_in
    from fctry.partitions.table import TABLE_SECTOR_BYTES

    with connect(port) as chip:
        return table_in(chip.read(offset, TABLE_SECTOR_BYTES), 0, file=port)
