"""What the rules find in a layout, before it is known how it will be shown."""

from __future__ import annotations

from typing import NamedTuple


class Problem(NamedTuple):
    """A finding of one rule.

    ``code`` names the rule (see codes.py), ``line`` is the line of the CSV counted from 1, or 0 when the problem is
    not that of one line, ``hint`` is the remedy, ``file`` names another file than the CSV.
    """

    code: str
    line: int
    message: str
    hint: str = ""
    file: str = ""
