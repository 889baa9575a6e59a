"""Runs the rules over a layout and says all that they find."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from fctry.partitions.codes import RULES
from fctry.partitions.layout import Layout
from fctry.partitions.problems import Problem
from fctry.partitions.rules import data, geometry, names

ENFORCED: tuple[Callable[[Layout], Iterator[Problem]], ...] = (
    geometry.overlaps,
    geometry.offset_alignment,
    geometry.app_size,
    geometry.flash_size,
    geometry.too_many,
    names.duplicate,
    data.otadata,
    data.tee_otadata,
    data.readonly_subtype,
    data.nvs_small,
)
"""The rules whose breach makes gen_esp32part.py refuse a table."""


def enforced_problems(layout: Layout) -> list[Problem]:
    """Why gen_esp32part.py of the configured ESP-IDF release refuses ``layout``: nothing when it does not."""
    problems = [*layout.problems, *(problem for rule in ENFORCED for problem in rule(layout))]
    return [
        problem
        for problem in problems
        if RULES[problem.code].enforced and RULES[problem.code].since <= layout.options.idf
    ]
