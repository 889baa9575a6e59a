"""Make the binary partition table, byte for byte as gen_esp32part.py does; what it refuses is refused.

fctry layout build partitions.csv -o partition-table.bin
"""

from __future__ import annotations

import sys

from fctry.cli.arguments import Arguments, Option, path
from fctry.cli.options import TABLE_OF_PROJECT, inputs_of, project_of
from fctry.files import keep_inputs, write_file
from fctry.findings import Severity
from fctry.partitions.binary import pack
from fctry.partitions.checker import check

PARAMETERS = (
    Option("-o", "--output", type=path, required=True, metavar="FILE", help="binary table to write"),
    *TABLE_OF_PROJECT,
)


def run(args: Arguments) -> int:
    project = project_of(args)
    keep_inputs([args.output], [*inputs_of(args), *project.files])
    write_file(args.output, pack(project.table, md5=project.options.md5))
    if errors := sum(finding.severity is Severity.ERROR for finding in check(project.layout)):
        what = "an error" if errors == 1 else f"{errors} errors"
        table = project.settings.partitions
        message = f"warning: {table} has {what} that a device will see: fctry layout check {table}"
        print(message, file=sys.stderr)
    return 0
