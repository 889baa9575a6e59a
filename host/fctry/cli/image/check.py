"""Say everything in images that the firmware would stumble over. Exit code 1 if there is an error.

Imports as little as it can: it may be run once per image, thousands of times.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from fctry.cli.options import add_keys, keys_of
from fctry.cli.text import counted
from fctry.errors import InputError
from fctry.nvs.checker import check

if TYPE_CHECKING:
    from fctry.findings import Finding


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("image", nargs="+")
    parser.add_argument("--read-only", action="store_true", help="the partition is flagged readonly")
    parser.add_argument("--json", action="store_true", help="for machines")
    add_keys(parser)


def run(args: argparse.Namespace) -> int:
    keys = keys_of(args)
    found = {}
    for path in args.image:
        image = _read(path)
        if keys:
            from fctry.cli.image.opened import decrypted

            image = decrypted(path, image, keys)
        found[path] = check(image, read_only=args.read_only, is_decrypted=keys is not None)
    if args.json:
        import json

        printed = {path: [one.as_dict() for one in findings] for path, findings in found.items()}
        print(json.dumps(printed, indent=2))
    else:
        for path, findings in found.items():
            _print(path, findings)
    return 1 if any(one.severity == "error" for findings in found.values() for one in findings) else 0


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:  # noqa: PTH123  # pathlib would cost as much as the check
            return file.read()
    except OSError as error:
        raise InputError(f"cannot read: {error.strerror}", hint="check the path", file=path) from None


def _print(path: str, findings: list[Finding]) -> None:
    hints: set[str] = set()
    counts: dict[str, int] = {}
    for one in findings:
        print(f"{path}: {one.severity.value}: {one.where}: {one.message} ({one.code})")
        if one.hint not in hints:
            print(f"  {one.hint}")
        hints.add(one.hint)
        counts[one.severity.value] = counts.get(one.severity.value, 0) + 1
    summary = ", ".join(counted(count, severity) for severity, count in counts.items())
    print(f"{path}: {summary or 'no findings'}")
