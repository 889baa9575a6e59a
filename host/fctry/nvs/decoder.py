"""The image of an NVS partition to items, strictly: what the firmware would not read whole is refused."""

from __future__ import annotations

from fctry.errors import FormatError
from fctry.nvs.checker import problems
from fctry.nvs.contents import Contents, read
from fctry.nvs.item import Item
from fctry.nvs.problems import ERROR, RULES
from fctry.nvs.values import read_items


def decode(image: bytes) -> list[Item]:
    """All items, in the order in which they were written. An encrypted image must be decrypted first.

    Raises FormatError for anything that makes firmware lose or misread an item. What is only a leftover of a power cut,
    and that there is no free page, is none of its business: `check` tells that.
    """
    contents = read(image)
    refuse_damage(contents)
    return [item for item, _ in read_items(contents)]


def refuse_damage(contents: Contents) -> None:
    """Raise FormatError for the first problem that is an error in every partition."""
    for problem in problems(contents):
        rule = RULES[problem.code]
        if rule.severity == rule.severity_read_only == ERROR:
            raise FormatError(f"{problem.where}: {problem.message} ({problem.code})", hint=rule.hint)
