"""Images that are read: decrypted, and with what is wrong in them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fctry.cli.options import keys_of
from fctry.errors import InputError
from fctry.files import naming, read_file
from fctry.findings import ERROR, Finding
from fctry.nvs.checker import RULES, check, damage
from fctry.nvs.contents import Contents, read
from fctry.nvs.item import Item
from fctry.nvs.values import read_items

if TYPE_CHECKING:
    from fctry.nvs.encryption import Keys


def decrypted(path: str | Path, image: bytes, keys: Keys | None) -> bytes:
    """The image of a file in plain. Raises FormatError that names the file."""
    if keys is None:
        return image
    from fctry.nvs.encryption import decrypt

    with naming(path):
        return decrypt(image, keys)


def open_image(path: Path, args: argparse.Namespace) -> Contents:
    """The contents of an image, with the keys of `add_keys`; damage is warned of on stderr."""
    image = decrypted(path, read_file(path), keys_of(args))
    with naming(path):
        contents = read(image)
    if damage(contents):
        print(f"warning: {path} is damaged: see `fctry image check {path}`", file=sys.stderr)
    return contents


def open_rest(path: Path, args: argparse.Namespace) -> tuple[bytes, Contents, list[Finding]]:
    """An image, its contents, and the errors that lose some of its keys. Raises InputError if nothing is left."""
    keys = keys_of(args)
    image = decrypted(path, read_file(path), keys)
    with naming(path):
        contents = read(image)
    found = check(image, read_only=True, is_decrypted=keys is not None)
    errors = [one for one in found if one.severity == RULES[one.code].severity == ERROR]
    if errors and not read_items(contents):
        raise InputError(f"nothing can be read: {errors[-1].message}", hint=errors[-1].hint, file=path)
    return image, contents, errors


def items_of(contents: Contents) -> list[Item]:
    return [item for item, _ in read_items(contents)]


def print_errors(path: Path, errors: Sequence[Finding]) -> int:
    """Say on stderr what was lost. Returns the exit code."""
    if errors:
        from fctry.cli.printed import print_findings

        print_findings([one._replace(file=str(path)) for one in errors], f"{path}: ", file=sys.stderr)
    return 1 if errors else 0
