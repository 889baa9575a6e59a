"""Rules about the lines of the CSV: what gen_esp32part.py reads without a word, but not as it was meant."""

from __future__ import annotations

from collections.abc import Iterator

from fctry.partitions.layout import Layout
from fctry.partitions.problems import Problem


def extra_field(layout: Layout) -> Iterator[Problem]:
    for row in layout.rows:
        extra = next((text for text in row.extra if text), "")
        if extra and not extra.startswith("#"):
            message = f"what follows the sixth column is ignored: `{extra}`"
            hint = "remove it, or separate flags with a colon: encrypted:readonly"
            yield Problem("layout-extra-field", row.line, message, hint)


def name_characters(layout: Layout) -> Iterator[Problem]:
    for row in layout.rows:
        bad = sorted({char for char in row.name if char in "\"'$" or not char.isprintable()})
        if bad:
            message = f"the name {row.name!r} contains {' '.join(repr(char) for char in bad)}"
            hint = "a CSV of partitions has no quotes, and a variable that is not set stays as it is written"
            yield Problem("layout-name-characters", row.line, message, hint)
