"""The rules, grouped by what they look at, each beside the function that finds its breaches.

Rules that need more than the table are imported when there is more: a check of a table alone does not pay for them.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module

from fctry.findings import rules_of
from fctry.partitions import placing, rows
from fctry.partitions.rule import LayoutRule, Needs
from fctry.partitions.rules import apps, data, geometry, lines, names, recipe

TABLE_MODULES = (rows, placing, geometry, lines, names, apps, data, recipe)
OTHER_MODULES = {
    Needs.SDKCONFIG: "project",
    Needs.BUILD: "build",
    Needs.AGAINST: "history",
    Needs.DEVICE: "history",
}


@cache
def rules_for(*kinds: Needs) -> tuple[LayoutRule, ...]:
    """The rules that look at nothing but these, in their order, which is also that of their findings about a line."""
    names = dict.fromkeys(name for kind, name in OTHER_MODULES.items() if kind in kinds)
    others = [import_module(f"{__name__}.{name}") for name in names]
    rules = dict.fromkeys(
        rules_of(LayoutRule, *TABLE_MODULES, *others)
    )  # a rule may be imported by its neighbours
    return tuple(rule for rule in rules if rule.needs in kinds)
