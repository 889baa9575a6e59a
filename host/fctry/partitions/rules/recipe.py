"""Rules of the dual-NVS recipe: one NVS partition for the user, one for what makes the device unique.

The user's is called `nvs`, as nvs_flash_init wants it, and a reset to factory erases it. The factory partition is
written once, and the flag `readonly` keeps nvs_flash from "repairing" it.
"""

from __future__ import annotations

from collections.abc import Iterator

from fctry.partitions.layout import Layout
from fctry.partitions.placing import Entry
from fctry.partitions.problems import Problem
from fctry.partitions.rules.data import NVS_PAGE_BYTES, NVS_WITHOUT_FREE_PAGE_SINCE
from fctry.partitions.spaces import place_for
from fctry.partitions.table import DATA, FACTORY_PARTITION

USER_PARTITION = "nvs"
FACTORY_BYTES = 0x6000


def factory_entries(layout: Layout, name: str | None) -> list[Entry]:
    """The entries that may hold factory data: the one called ``name``, or, when that is None, `fctry`, or else the
    readonly NVS partitions, or else all that are not the user's.
    """
    others = [
        entry for entry in layout.entries if entry.partition.is_nvs and entry.partition.name != USER_PARTITION
    ]
    wanted = name or FACTORY_PARTITION
    named = [entry for entry in others if entry.partition.name == wanted]
    if named or name:
        return named
    return [entry for entry in others if entry.partition.readonly] or others


def user(layout: Layout) -> Iterator[Problem]:
    if not layout.entries or not layout.is_complete:
        return
    entry = next(
        (e for e in layout.entries if e.partition.is_nvs and e.partition.name == USER_PARTITION), None
    )
    if entry is None:
        message = "no data/nvs partition is called `nvs`: nvs_flash_init ends in ESP_ERR_NOT_FOUND"
        yield Problem("layout-user-nvs", 0, message, f"add the line `{_line(layout, USER_PARTITION, '')}`")
    elif entry.partition.readonly:
        message = "`nvs` is readonly: no setting can be stored (ESP_ERR_NOT_ALLOWED)"
        hint = "remove the flag here; the factory partition is the one to flag"
        yield Problem("layout-user-nvs-readonly", entry.line, message, hint)


def factory(layout: Layout, name: str | None) -> Iterator[Problem]:
    if not layout.entries or not layout.is_complete:
        return
    found = factory_entries(layout, name)
    if name and not found:
        same = next((entry for entry in layout.entries if entry.partition.name == name), None)
        if same and same.partition.is_nvs:
            message = f"`{name}` is the partition of the user's settings: a reset to factory erases it"
            yield Problem("layout-factory-name", same.line, message, "name another with --partition")
        elif same:
            message, hint = (
                f"`{name}` is not data/nvs",
                "make it `data, nvs`, or name another with --partition",
            )
            yield Problem("layout-factory-name", same.line, message, hint)
        else:
            message, hint = (
                f"no partition is called `{name}`",
                f"add the line `{_line(layout, name, 'readonly')}`",
            )
            yield Problem("layout-factory-name", 0, message, hint)
    elif not found:
        message = "there is no second NVS partition for factory data"
        line = _line(layout, FACTORY_PARTITION, "readonly")
        yield Problem("layout-factory", 0, message, f"add the line `{line}`")
    for line_number, partition in found:
        if not partition.readonly and not any(p.readonly for _, p in found):
            message = (
                f"`{partition.name}` is not readonly: after one flipped bit nvs_flash erases the whole page"
            )
            hint = f"write `readonly` in the sixth column of `{partition.name}`"
            yield Problem("layout-factory-readonly", line_number, message, hint)


def _line(layout: Layout, name: str, flag: str) -> str:
    offset = place_for(layout, FACTORY_BYTES, DATA)
    where = "" if offset is None else f"{offset:#x}"
    return f"{name}, data, nvs, {where}, {FACTORY_BYTES:#x}, {flag}".rstrip()


def image(layout: Layout, name: str | None, content: bytes) -> Iterator[Problem]:
    """The rules for a factory image of these bytes."""
    for line, partition in factory_entries(layout, name):
        if len(content) > partition.size_bytes:
            message = f"the image has {len(content):#x} bytes, `{partition.name}` {partition.size_bytes:#x}"
            pages = -(-len(content) // NVS_PAGE_BYTES)
            yield Problem("layout-image-size", line, message, f"use the size {pages * NVS_PAGE_BYTES:#x}")
            continue
        if len(content) < partition.size_bytes:
            message = f"the image has {len(content):#x} bytes, `{partition.name}` {partition.size_bytes:#x}: "
            message += "the rest keeps what was there before, and nvs_flash reads it"
            yield Problem(
                "layout-image-short", line, message, f"make it with --size {partition.size_bytes:#x}"
            )
        needs_page = not partition.readonly or layout.options.idf < NVS_WITHOUT_FREE_PAGE_SINCE
        if needs_page and len(content) == partition.size_bytes and not _has_free_page(content):
            message = f"the image uses every page of `{partition.name}`: it does not mount (ESP_ERR_NVS_NO_FREE_PAGES)"
            hint = f"use the size {partition.size_bytes + NVS_PAGE_BYTES:#x}, or `readonly` with ESP-IDF v5.5"
            yield Problem("layout-image-full", line, message, hint)


def _has_free_page(content: bytes) -> bool:
    erased = b"\xff" * NVS_PAGE_BYTES
    return any(content[at : at + NVS_PAGE_BYTES] == erased for at in range(0, len(content), NVS_PAGE_BYTES))
