"""Rules of the dual-NVS recipe: one NVS partition for the user, one for what makes the device unique.

The user's is called `nvs`, as nvs_flash_init wants it, and a reset to factory erases it. The factory partition is
written once, and the flag `readonly` keeps nvs_flash from "repairing" it.
"""

from __future__ import annotations

from collections.abc import Iterator

from fctry.findings import ERROR, INFO, WARNING, Finding
from fctry.partitions.additions import NewLine
from fctry.partitions.layout import Layout
from fctry.partitions.placing import Entry, align_up
from fctry.partitions.rule import Evidence, LayoutRule, Needs
from fctry.partitions.rules.data import NVS_PAGE_BYTES, NVS_WITHOUT_FREE_PAGE_SINCE
from fctry.partitions.table import DATA, DATA_NVS, FACTORY_PARTITION, NO_PARTITION, USER_PARTITION

FACTORY_BYTES = 0x6000


@LayoutRule("layout-user-nvs", WARNING, "there is a data/nvs partition called nvs for the user's settings")
def user(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    if layout.entries and layout.is_complete and not _user(layout):
        message = "no data/nvs partition is called `nvs`: nvs_flash_init ends in ESP_ERR_NOT_FOUND"
        yield user.at(0, message, adds=_nvs(USER_PARTITION, ""))


@LayoutRule("layout-user-nvs-readonly", WARNING, "the user's settings can be written")
def user_readonly(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    entry = _user(layout)
    if layout.is_complete and entry and entry.partition.readonly:
        message = "`nvs` is readonly: no setting can be stored (ESP_ERR_NOT_ALLOWED)"
        hint = "remove the flag here; the factory partition is the one to flag"
        yield user_readonly.at(entry.line, message, hint)


def _user(layout: Layout) -> Entry | None:
    return next(
        (e for e in layout.entries if e.partition.is_nvs and e.partition.name == USER_PARTITION), None
    )


@LayoutRule("layout-factory", INFO, "it is known which partition holds factory data")
def factory(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    is_known = layout.entries and layout.is_complete
    if is_known and not evidence.factory and not layout.factory_entries(None):
        message = (
            f"no factory partition was found: no NVS is called `{FACTORY_PARTITION}` or flagged `readonly`"
        )
        hint = f"; or name it with --partition, or say --partition {NO_PARTITION}"
        yield factory.at(0, message, hint, adds=factory_line(FACTORY_PARTITION))


@LayoutRule("layout-factory-name", ERROR, "the factory partition that was named is there and is NVS")
def factory_name(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    name = evidence.factory
    is_known = layout.entries and layout.is_complete
    if not name or name == NO_PARTITION or not is_known or layout.factory_entries(name):
        return
    line, partition = next((entry for entry in layout.entries if entry.partition.name == name), (0, None))
    if name == USER_PARTITION:
        message = f"`{name}` is the partition of the user's settings: a reset to factory erases it"
        yield factory_name.at(line, message, "name another with --partition")
    elif partition is None:
        yield factory_name.at(0, f"no partition is called `{name}`", adds=factory_line(name))
    else:
        hint = "make it `data, nvs`, or name another with --partition"
        yield factory_name.at(line, f"`{name}` is not data/nvs", hint)


@LayoutRule("layout-factory-readonly", WARNING, "the factory partition is readonly")
def factory_readonly(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    found = layout.factory_entries(evidence.factory)
    if not layout.is_complete or any(p.readonly for _, p in found):
        return
    for line, partition in found:
        message = f"`{partition.name}` is not readonly: after one flipped bit nvs_flash erases the whole page"
        hint = f"write `readonly` in the sixth column of `{partition.name}`"
        yield factory_readonly.at(line, message, hint)


def factory_line(name: str) -> NewLine:
    """The line of a factory partition."""
    return _nvs(name, "readonly")


def _nvs(name: str, flags: str) -> NewLine:
    return NewLine(name, DATA, DATA_NVS, FACTORY_BYTES, flags)


@LayoutRule("layout-image-size", ERROR, "the factory partition holds the image", needs=Needs.IMAGE)
def image_size(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    content = evidence.image or b""
    for line, partition in layout.factory_entries(evidence.factory):
        if len(content) > partition.size_bytes:
            message = f"the image has {len(content):#x} bytes, `{partition.name}` {partition.size_bytes:#x}"
            yield image_size.at(line, message, f"use the size {align_up(len(content), NVS_PAGE_BYTES):#x}")


@LayoutRule("layout-image-short", WARNING, "the image fills the factory partition", needs=Needs.IMAGE)
def image_short(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    content = evidence.image or b""
    for line, partition in layout.factory_entries(evidence.factory):
        if len(content) < partition.size_bytes:
            message = f"the image has {len(content):#x} bytes, `{partition.name}` {partition.size_bytes:#x}: "
            message += "the rest keeps what was there before, and nvs_flash reads it"
            yield image_short.at(line, message, f"make it with --size {partition.size_bytes:#x}")


@LayoutRule(
    "layout-image-full", ERROR, "the image has the free page that its reader needs", needs=Needs.IMAGE
)
def image_full(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    content = evidence.image or b""
    for line, partition in layout.factory_entries(evidence.factory):
        needs_page = not partition.readonly or layout.options.idf < NVS_WITHOUT_FREE_PAGE_SINCE
        if needs_page and len(content) == partition.size_bytes and not _has_free_page(content):
            message = f"the image uses every page of `{partition.name}`: it does not mount (ESP_ERR_NVS_NO_FREE_PAGES)"
            hint = f"use the size {partition.size_bytes + NVS_PAGE_BYTES:#x}, or `readonly` with ESP-IDF v5.5"
            yield image_full.at(line, message, hint)


def _has_free_page(content: bytes) -> bool:
    erased = b"\xff" * NVS_PAGE_BYTES
    return any(content[at : at + NVS_PAGE_BYTES] == erased for at in range(0, len(content), NVS_PAGE_BYTES))
