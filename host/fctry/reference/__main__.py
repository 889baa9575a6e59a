"""`python -m fctry.reference FOLDER [CONFIG_NAME=VALUE …]`: the native build with the repository's own table."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from fctry.files import write_file
from fctry.project import Settings, open_project
from fctry.reference import PARTITIONS
from fctry.reference.native_build import build, recipe_of


def main(argv: list[str]) -> None:
    """Copy the build into the folder; a program that runs there stays what it is."""
    if not argv or argv[0].startswith("-"):
        sys.exit(__doc__)
    folder = Path(argv[0])
    config = dict(setting.split("=", 1) for setting in argv[1:])
    recipe = recipe_of(open_project(Settings(PARTITIONS)), config=config)
    made = build(recipe, log=lambda text: print(text, file=sys.stderr))
    for file in filter(Path.is_file, sorted(made.rglob("*"))):
        copy = folder / file.relative_to(made)
        data = file.read_bytes()
        if not copy.is_file() or copy.read_bytes() != data:
            copy.parent.mkdir(parents=True, exist_ok=True)
            write_file(copy, data)
            shutil.copymode(file, copy)


if __name__ == "__main__":
    main(sys.argv[1:])
