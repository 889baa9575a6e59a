"""Make the binary partition table, byte for byte as gen_esp32part.py does; what it refuses is refused."""

from __future__ import annotations

import argparse
import sys

from fctry.cli.arguments import path
from fctry.cli.options import add_project, inputs_of, project_of
from fctry.files import keep_inputs, write_file
from fctry.findings import Severity
from fctry.partitions.binary import pack
from fctry.partitions.checker import check


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-o", "--output", type=path, required=True, metavar="BIN", help="binary table to write"
    )
    add_project(parser, table="CSV")


def run(args: argparse.Namespace) -> int:
    project = project_of(args)
    keep_inputs([args.output], [*inputs_of(args), *project.files])
    write_file(args.output, pack(project.table, md5=project.options.md5))
    if errors := sum(finding.severity is Severity.ERROR for finding in check(project.layout)):
        what = "an error" if errors == 1 else f"{errors} errors"
        table = project.settings.partitions
        message = f"warning: {table} has {what} that a device will see: fctry layout check {table}"
        print(message, file=sys.stderr)
    return 0
