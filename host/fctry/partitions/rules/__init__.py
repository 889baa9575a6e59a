"""The rules: functions from a layout to the problems they find, grouped by what they look at.

Those that need nothing but the table are listed here; check.py adds the others, which hold it against something.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from fctry.partitions.codes import RULES
from fctry.partitions.layout import Layout
from fctry.partitions.problems import Problem
from fctry.partitions.rules import apps, data, geometry, lines, names, recipe

TABLE_RULES: tuple[Callable[[Layout], Iterator[Problem]], ...] = (
    geometry.overlaps,
    geometry.offset_alignment,
    geometry.app_size,
    geometry.flash_size,
    geometry.too_many,
    geometry.empty,
    geometry.size_zero,
    geometry.size_sectors,
    lines.extra_field,
    lines.name_characters,
    names.duplicate,
    names.too_long,
    names.empty,
    names.keyword,
    names.reserved_type,
    names.reserved_subtype,
    apps.no_app,
    apps.duplicate,
    apps.ota_without_otadata,
    apps.ota_gap,
    apps.ota_single,
    apps.readonly,
    data.otadata,
    data.tee_otadata,
    data.readonly_subtype,
    data.nvs_small,
    data.nvs_readonly_small,
    data.nvs_sectors,
    data.nvs_encrypted,
    data.nvs_keys,
    recipe.user,
)


def enforced_problems(layout: Layout) -> list[Problem]:
    """Why gen_esp32part.py of the configured ESP-IDF release refuses ``layout``: nothing when it does not."""
    problems = [*layout.problems, *(problem for rule in TABLE_RULES for problem in rule(layout))]
    return [p for p in problems if RULES[p.code].enforced and RULES[p.code].since <= layout.options.idf]
