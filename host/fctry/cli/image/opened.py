"""Images that are read: decrypted, and with what is wrong in them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from fctry.cli.image.dump import Port, Where, content_of
from fctry.cli.printed import print_findings
from fctry.errors import InputError
from fctry.files import naming
from fctry.findings import ERROR, Finding
from fctry.nvs.checker import RULES, check
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


class Opened(NamedTuple):
    """An image in plain, its contents, and the errors that lose some of its keys."""

    data: bytes
    contents: Contents
    errors: list[Finding]

    @property
    def items(self) -> list[Item]:
        """What the firmware reads of it."""
        return [item for item, _ in read_items(self.contents)]


def open_image(path: Path | Port, keys: Keys | None, where: Where, *, needs_items: bool = False) -> Opened:
    """An image, or that in a dump or on a device, decrypted if there are keys. What is wrong with it is said on stderr.

    Raises InputError if it is damaged and `needs_items`, of which none are left.
    """
    data = decrypted(path, content_of(path, where), keys)
    with naming(path):
        contents = read(data)
    found = check(data, is_decrypted=keys is not None)
    errors = [one for one in found if one.severity is RULES[one.code].severity_read_only is ERROR]
    opened = Opened(data, contents, errors)
    if errors and needs_items and not opened.items:
        raise InputError(f"nothing can be read: {errors[-1].message}", hint=errors[-1].hint, file=path)
    if errors:
        print_findings([one._replace(file=str(path)) for one in errors], f"{path}: ", file=sys.stderr)
    return opened
