"""What an image is made of, and for which partition: as the options of `build`, `batch` and `capacity` say."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from fctry.cli.arguments import Arguments, Choice, Option, size
from fctry.cli.options import PROJECT, project_of
from fctry.errors import InputError
from fctry.nvs.capacity import Capacity, measure
from fctry.nvs.csv import Sheet, read_sheet


class Target(NamedTuple):
    """The partition that the image is for, and the files that say so."""

    size_bytes: int
    read_only: bool
    version: int
    files: tuple[Path, ...] = ()

    @property
    def space(self) -> dict[str, Any]:
        """What `make_image` and the like are told of it."""
        return {"size_bytes": self.size_bytes, "read_only": self.read_only, "version": self.version}


TARGET = (
    Option("--size", type=size, help="size of the partition: 0x6000, 24K, … (default: the project's)"),
    Option("--read-only", is_flag=True, help="the partition is flagged readonly: use its last page too"),
    Option(
        "--nvs-version",
        type=Choice((1, 2)),
        default=2,
        show_default=True,
        help="page format; 1 has no blobs over pages",
    ),
    *PROJECT,
)


def target_of(args: Arguments, sheet: Sheet | None = None) -> Target:
    """Size in bytes and whether it is read-only: as asked for, or as the project's factory partition is.

    Where nothing says a size, it is the smallest that holds the sheet, if one is given. Raises InputError.
    """
    if args.size is not None:
        return Target(args.size, args.read_only, args.nvs_version)
    project = project_of(args)
    if args.partitions is None and not project.settings.partitions.exists():
        if sheet is None:
            raise InputError(
                "size of the partition unknown",
                hint="give --size 0x6000, or a table: --partitions FILE; `fctry init` makes one",
            )
        smallest = measure(sheet.items, 0x3000, read_only=args.read_only, namespaces=sheet.namespaces)
        return Target(smallest.smallest_size_bytes, args.read_only, args.nvs_version)
    partition = project.factory_partition
    read_only = partition.readonly or args.read_only
    return Target(partition.size_bytes, read_only, args.nvs_version, project.files)


def read_keys(csvs: list[Path]) -> Sheet:
    """What CSVs say. Raises InputError when they have neither keys nor namespaces."""
    sheet = read_sheet(*csvs)
    if not sheet.items and not sheet.namespaces:
        hint = "give a namespace and its keys, such as `device,namespace,,` and `serial,data,string,1`"
        raise InputError("no keys", hint=hint, file=csvs[-1])
    return sheet


def room(used: Capacity) -> str:
    """How full a partition is."""
    return f"{used.entries_used} of {used.entries_total} entries of a partition of {used.size_bytes:#x} bytes"
