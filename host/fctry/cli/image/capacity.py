"""Tell how much room the keys of CSVs take. Exit code 1 when they do not fit.

fctry image capacity device.csv
"""

from __future__ import annotations

import json
from dataclasses import asdict

from fctry.cli.arguments import Argument, Arguments, Option, path
from fctry.cli.image.target import TARGET, read_keys, room, target_of
from fctry.cli.text import escaped
from fctry.nvs.capacity import measure

PARAMETERS = (
    Argument("csv", nargs=-1, required=True, type=path, help="lines of key,type,encoding,value"),
    Option("--json", is_flag=True, help="print as JSON"),
    *TARGET,
)


def run(args: Arguments) -> int:
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
