"""Draw a map of the flash to scale: partitions, boot loader and table, what is free and what alignment costs.

fctry layout show partitions.csv --svg partitions.svg
"""

from __future__ import annotations

import sys

from fctry.cli.arguments import Arguments, Option, path
from fctry.cli.options import TABLE_OF_PROJECT, inputs_of, project_of
from fctry.files import keep_inputs, write_file
from fctry.partitions.csv import table_of
from fctry.partitions.picture.flashmap import flash_map

PARAMETERS = (
    Option("--against", type=path, metavar="FILE", help="table to show beside it"),
    Option("--svg", type=path, metavar="FILE", help="write a drawing instead of printing a map"),
    *TABLE_OF_PROJECT,
)


def run(args: Arguments) -> int:
    project = project_of(args)
    layouts = [project.layout, *([project.open(args.against)] if args.against else [])]
    for layout in layouts:
        if not layout.entries:  # an empty map would not say why
            table_of(layout)
    maps = [
        flash_map(layout, bootloader_offset=project.bootloader_offset, factory=project.settings.partition)
        for layout in layouts
    ]
    for layout in layouts:
        if not layout.is_complete:
            message = f"warning: not all of {layout.file} can be drawn: fctry layout check {layout.file}"
            print(message, file=sys.stderr)
    if args.svg:
        keep_inputs([args.svg], [*inputs_of(args), *project.files])
        from fctry.partitions.picture.svg import draw

        write_file(args.svg, draw(*maps).encode())
    else:
        from fctry.cli.layout.map import print_maps

        print_maps(maps)
    return 0
