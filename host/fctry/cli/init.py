"""Give a project of ESP-IDF's, or an empty folder, what it needs for factory data, and show all of it first.

The component, the partition line at a place that is free, the lines of sdkconfig.defaults, a factory spec, a test and a
workflow for CI. Nothing that is there is replaced or moved; a second time there is nothing to do.

fctry init my-project
cd my-project
pytest --board native
"""

from __future__ import annotations

import sys

from fctry.cli.arguments import Argument, Arguments, Option, path
from fctry.cli.printed import print_pieces
from fctry.cli.text import counted
from fctry.errors import InputError

STYLES = {"+": "green", "-": "red", "@": "cyan"}


PARAMETERS = (
    Argument("folder", type=path, required=False, default=".", help="the project (default: this folder)"),
    Option("-y", "--yes", is_flag=True, help="write it without asking"),
)


def run(args: Arguments) -> int:
    from fctry.starter import difference, plan, write

    if args.folder.exists() and not args.folder.is_dir():
        raise InputError("not a folder", hint="name the project's folder", file=args.folder)
    made = plan(args.folder)
    if not made.changes:
        print(f"{args.folder}: nothing to do")
        return 0
    component = [change for change in made.changes if "components" in change.path.parts]
    for change in made.changes:
        if change not in component:
            lines = difference(change, made.folder).splitlines()
            print_pieces([[(line, STYLES.get(line[:1], ""))] for line in lines])
    if component:
        print(f"and components/factory_data, the component: {counted(len(component), 'file')}")
    if not args.yes and not _is_agreed():
        return 1
    write(made)
    print(f"{args.folder}: {counted(len(made.changes), 'file')} written")
    for note in (*made.notes, "try it, with pip install 'fctry[pytest]': pytest --board native"):
        print(f"- {note}")
    return 0


def _is_agreed() -> bool:
    if not sys.stdin.isatty():
        print("nothing is written yet: --yes does it", file=sys.stderr)
        return False
    try:
        return input("Write this? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:  # Ctrl-D
        print()
        return False
