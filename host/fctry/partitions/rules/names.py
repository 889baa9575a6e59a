"""Rules about the names of partitions."""

from __future__ import annotations

from collections.abc import Iterator

from fctry.partitions.layout import Layout
from fctry.partitions.problems import Problem


def duplicate(layout: Layout) -> Iterator[Problem]:
    first_line: dict[str, int] = {}
    for row in layout.entries:
        name = row.partition.name
        if name in first_line:
            message = f"the name `{name}` is taken by line {first_line[name]}"
            yield Problem(
                "layout-name-duplicate", row.line, message, "give every partition a name of its own"
            )
        first_line.setdefault(name, row.line)
