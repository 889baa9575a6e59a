"""Tell how much room the keys of CSVs take. Exit code 1 when they do not fit."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from fctry.cli.arguments import path
from fctry.cli.image.target import add_target, read_keys, room, target_of
from fctry.cli.text import escaped
from fctry.nvs.capacity import measure


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("csv", type=path, nargs="+")
    parser.add_argument("--json", action="store_true", help="for machines")
    add_target(parser)


def run(args: argparse.Namespace) -> int:
    sheet = read_keys(args.csv)
    target = target_of(args, sheet)
    used = measure(sheet.items, **target.space, namespaces=sheet.namespaces)
    if args.json:
        print(json.dumps({**asdict(used), "fits": used.fits}, indent=2))
        return 0 if used.fits else 1
    width = max(len("namespace"), *(len(use.name) for use in used.namespaces))
    print(f"{'namespace':{width}}  {'keys':>6}  {'bytes':>7}  {'entries':>7}")
    for use in used.namespaces:
        print(f"{escaped(use.name):{width}}  {use.keys:6}  {use.value_bytes:7}  {use.entries:7}")
    print(f"{room(used)}, {used.entries_lost} lost at the ends of pages")
    print(f"free: {used.entries_free} entries" if used.fits else f"too many by {-used.entries_free} entries")
    print(f"smallest partition that holds it: {used.smallest_size_bytes:#x} bytes")
    return 0 if used.fits else 1
