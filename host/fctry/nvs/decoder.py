"""The image of an NVS partition to items, strictly: what the firmware would not read whole is refused."""

from __future__ import annotations

from fctry.errors import FormatError
from fctry.nvs.checker import damage
from fctry.nvs.contents import read
from fctry.nvs.item import Item
from fctry.nvs.values import read_items


def decode(image: bytes) -> list[Item]:
    """All items, in the order in which they were written. An encrypted image must be decrypted first.

    Raises FormatError for anything that makes firmware lose or misread an item. What is only a leftover of a power cut,
    and that there is no free page, is none of its business: `check` tells that.
    """
    contents = read(image)
    for one in damage(contents):
        raise FormatError(f"{one.where}: {one.message} ({one.code})", hint=one.hint)
    return [item for item, _ in read_items(contents)]
