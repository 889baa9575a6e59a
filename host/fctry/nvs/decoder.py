"""The image of an NVS partition to items, strictly: what the firmware would not read whole is refused."""

from __future__ import annotations

from fctry.errors import FormatError
from fctry.nvs.checker import Problem, problems
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
    for problem in damage(contents):
        raise FormatError(
            f"{problem.where}: {problem.message} ({problem.code})", hint=RULES[problem.code].hint
        )
    return [item for item, _ in read_items(contents)]


def damage(contents: Contents) -> list[Problem]:
    """The problems that are errors in every partition, whether it is written to or not."""
    rules = ((problem, RULES[problem.code]) for problem in problems(contents))
    return [problem for problem, rule in rules if rule.severity == rule.severity_read_only == ERROR]
