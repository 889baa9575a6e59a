"""Rules about the lines of the CSV: what gen_esp32part.py reads without a word, but not as it was meant."""

from __future__ import annotations

from collections.abc import Iterator

from fctry.findings import WARNING, Finding
from fctry.partitions.layout import Layout
from fctry.partitions.rule import Evidence, LayoutRule


@LayoutRule("layout-extra-field", WARNING, "a line has no more than six columns")
def extra_field(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    for row in layout.rows:
        extra = next((text for text in row.extra if text), "")
        if extra and not extra.startswith("#"):
            message = f"what follows the sixth column is ignored: `{extra}`"
            hint = "remove it, or separate flags with a colon: encrypted:readonly"
            yield extra_field.at(row.line, message, hint)


@LayoutRule("layout-name-characters", WARNING, "a name has no quotes, variables or control characters")
def name_characters(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    for row in layout.rows:
        bad = sorted({char for char in row.name if char in "\"'$" or not char.isprintable()})
        if bad:
            message = f"the name {row.name!r} contains {' '.join(repr(char) for char in bad)}"
            hint = "a CSV of partitions has no quotes, and a variable that is not set stays as it is written"
            yield name_characters.at(row.line, message, hint)
