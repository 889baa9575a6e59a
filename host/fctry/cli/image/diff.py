"""Say what differs between two images, by key. Exit code 1 if anything does."""

from __future__ import annotations

import argparse
import json

from fctry.cli.arguments import path
from fctry.cli.image.dump import add_dump, where_in
from fctry.cli.image.opened import open_image
from fctry.cli.image.shown import add_secrets, as_json, short_text_of, stated
from fctry.cli.options import add_keys, keys_of
from fctry.nvs.difference import diff
from fctry.nvs.picture import printable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("before", type=path)
    parser.add_argument("after", type=path)
    parser.add_argument("--json", action="store_true", help="for machines")
    add_secrets(parser)
    add_keys(parser)
    add_dump(parser)


def run(args: argparse.Namespace) -> int:
    found = diff(
        *(open_image(file, keys_of(args), where_in(args)).items for file in (args.before, args.after))
    )
    rows = []
    for one in found:
        sides = {name: item for name, item in (("before", one.before), ("after", one.after)) if item}
        rows.append((one, dict(zip(sides, stated(sides.values(), args), strict=True))))
    if args.json:
        printed = [
            {"kind": one.kind, **{name: as_json(item) for name, item in sides.items()}} for one, sides in rows
        ]
        print(json.dumps(printed, indent=2))
        return 1 if found else 0
    for one, sides in rows:
        name = f"{printable(one.namespace)}:{printable(one.key)}"
        shown = [f"{item.type.value} {short_text_of(item)}" for item in sides.values()]
        print(f"{one.kind:8} {name}  {' -> '.join(shown)}")
    return 1 if found else 0
