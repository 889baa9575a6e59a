"""Make the image of a partition from CSVs as nvs_partition_gen takes them.

fctry image build device.csv -o device.bin --size 24K
fctry image build device.csv -o encrypted.bin --keys keys.bin
"""

from __future__ import annotations

import sys

from fctry.cli.arguments import Argument, Arguments, Option, path
from fctry.cli.image.target import TARGET, read_keys, room, target_of
from fctry.cli.options import KEYS, inputs_of, keys_of
from fctry.cli.printed import print_findings
from fctry.cli.text import counted, say_written
from fctry.files import keep_inputs, write_file
from fctry.nvs.capacity import measure
from fctry.nvs.checker import check
from fctry.nvs.csv_notes import notes
from fctry.nvs.factory_image import make_image

PARAMETERS = (
    Argument("csv", nargs=-1, required=True, type=path, help="lines of key,type,encoding,value"),
    Option("-o", "--output", type=path, required=True, metavar="FILE", help="where the image goes"),
    *KEYS,
    *TARGET,
)


def run(args: Arguments) -> int:
    target = target_of(args)
    sheet = read_keys(args.csv)
    keep_inputs([args.output], [*inputs_of(args), *sheet.files, *target.files])
    image = make_image(sheet, **target.space)
    findings = (*notes(sheet), *check(image.data, read_only=target.read_only))
    if findings:
        print_findings(findings, f"{args.output}: ", file=sys.stderr)
    keys = keys_of(args)
    write_file(args.output, image.encrypted(keys).data, is_private=True)
    used = measure(sheet.items, **target.space, namespaces=sheet.namespaces)
    say_written(
        args.output, f"{counted(len(image.items), 'key')}, {room(used)}{', encrypted' if keys else ''}"
    )
    return 0
