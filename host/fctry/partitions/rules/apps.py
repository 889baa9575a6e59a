"""Rules about applications: what the boot loader and esp_ota_ops make of them.

Source: ESP-IDF v5.5.5 components/bootloader_support/src/bootloader_utility.c (load_partition_table and
get_selected_boot_partition) and components/app_update/esp_ota_ops.c.
"""

from __future__ import annotations

from collections.abc import Iterator

from fctry.findings import ERROR, INFO, WARNING, Finding
from fctry.partitions.additions import NewLine
from fctry.partitions.keywords import subtype_name, type_name
from fctry.partitions.layout import Layout
from fctry.partitions.placing import Entry
from fctry.partitions.rule import Evidence, LayoutRule
from fctry.partitions.rules.data import OTADATA_BYTES
from fctry.partitions.table import (
    APP,
    APP_FACTORY,
    APP_OTA_0,
    APP_TEST,
    BOOTLOADER,
    DATA,
    DATA_OTA,
    PARTITION_TABLE,
)

FACTORY_APP = NewLine("factory", APP, APP_FACTORY, 1 << 20)
OTADATA = NewLine("otadata", DATA, DATA_OTA, OTADATA_BYTES)


def _ota_slots(layout: Layout) -> list[Entry]:
    return sorted(
        (entry for entry in layout.entries if entry.partition.is_ota_slot),
        key=lambda entry: entry.partition.subtype,
    )


@LayoutRule("layout-no-app", ERROR, "there is an application to boot")
def no_app(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    if not layout.is_complete or not layout.entries:
        return
    if any(p.is_of(APP, APP_FACTORY, APP_TEST) or p.is_ota_slot for _, p in layout.entries):
        return
    yield no_app.at(0, "there is no application to boot", adds=FACTORY_APP)


@LayoutRule("layout-app-duplicate", ERROR, "there is one application of each subtype")
def duplicate(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    first: dict[int, Entry] = {}
    for entry in layout.entries:
        partition = entry.partition
        if partition.type != APP:
            continue
        before = first.setdefault(partition.subtype, entry)
        if before is not entry:
            what = subtype_name(APP, partition.subtype, layout.options.keywords)
            message = f"`{partition.name}` is a second app/{what}: the boot loader never boots "
            message += f"`{before.partition.name}` of line {before.line}"
            yield duplicate.at(entry.line, message, "give one of them another subtype")


@LayoutRule("layout-ota-without-otadata", WARNING, "OTA slots come with a data/ota partition")
def ota_without_otadata(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    slots = _ota_slots(layout)
    if not slots or not layout.is_complete or any(p.is_of(DATA, DATA_OTA) for _, p in layout.entries):
        return
    message = "there are OTA slots, but no data/ota partition that says which one to boot"
    yield ota_without_otadata.at(slots[0].line, message, adds=OTADATA)


@LayoutRule("layout-ota-gap", ERROR, "OTA slots are numbered from ota_0 without a gap")
def ota_gap(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    if not layout.is_complete:
        return
    slots = _ota_slots(layout)
    numbers = sorted({entry.partition.subtype - APP_OTA_0 for entry in slots})
    missing = next((n for n, number in enumerate(numbers) if n != number), None)
    if missing is not None:
        entry = next(e for e in slots if e.partition.subtype - APP_OTA_0 > missing)
        slot = subtype_name(APP, entry.partition.subtype)
        message = f"there is {slot} but no ota_{missing}: the boot loader takes the number of slots for their numbers"
        yield ota_gap.at(entry.line, message, f"use the subtype ota_{missing}")


@LayoutRule("layout-ota-single", INFO, "an application in an OTA slot has a second slot to be updated in")
def ota_single(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    slots = _ota_slots(layout)
    has_factory = any(p.is_of(APP, APP_FACTORY) for _, p in layout.entries)
    if len(slots) == 1 and not has_factory and layout.is_complete:
        message = f"`{slots[0].partition.name}` is the only application: it cannot be updated while it runs"
        hint = "add a slot ota_1 of the same size, or make it app/factory"
        yield ota_single.at(slots[0].line, message, hint)


@LayoutRule("layout-readonly-app", ERROR, "only data partitions are readonly")
def readonly(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    for line, partition in layout.entries:
        if partition.readonly and partition.type in (APP, BOOTLOADER, PARTITION_TABLE):
            what = type_name(partition.type)
            message = f"`{partition.name}` is readonly: an update of this {what} ends in ESP_ERR_NOT_ALLOWED"
            yield readonly.at(line, message, "remove the flag `readonly`")
