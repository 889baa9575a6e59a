"""Rules about applications: what the boot loader and esp_ota_ops make of them.

Source: ESP-IDF v5.5.5 components/bootloader_support/src/bootloader_utility.c (load_partition_table and
get_selected_boot_partition) and components/app_update/esp_ota_ops.c.
"""

from __future__ import annotations

from collections.abc import Iterator

from fctry.partitions.keywords import subtype_name, type_name
from fctry.partitions.layout import Layout
from fctry.partitions.placing import Entry
from fctry.partitions.problems import Problem
from fctry.partitions.spaces import place_for
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


def _ota_slots(layout: Layout) -> list[Entry]:
    return sorted(
        (entry for entry in layout.entries if entry.partition.is_ota_slot),
        key=lambda entry: entry.partition.subtype,
    )


def no_app(layout: Layout) -> Iterator[Problem]:
    if not layout.is_complete or not layout.entries:
        return
    if any(p.is_of(APP, APP_FACTORY, APP_TEST) or p.is_ota_slot for _, p in layout.entries):
        return
    offset = place_for(layout, 1 << 20, APP)
    line = (
        f"factory, app, factory, {offset:#x}, 1M," if offset is not None else "factory, app, factory, , 1M,"
    )
    yield Problem("layout-no-app", 0, "there is no application to boot", f"add the line `{line}`")


def duplicate(layout: Layout) -> Iterator[Problem]:
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
            yield Problem("layout-app-duplicate", entry.line, message, "give one of them another subtype")


def ota_without_otadata(layout: Layout) -> Iterator[Problem]:
    slots = _ota_slots(layout)
    if not slots or not layout.is_complete or any(p.is_of(DATA, DATA_OTA) for _, p in layout.entries):
        return
    offset = place_for(layout, 0x2000, DATA)
    line = (
        f"otadata, data, ota, {offset:#x}, 0x2000," if offset is not None else "otadata, data, ota, , 0x2000,"
    )
    message = "there are OTA slots, but no data/ota partition that says which one to boot"
    yield Problem("layout-ota-without-otadata", slots[0].line, message, f"add the line `{line}`")


def ota_gap(layout: Layout) -> Iterator[Problem]:
    if not layout.is_complete:
        return
    slots = _ota_slots(layout)
    numbers = sorted({entry.partition.subtype - APP_OTA_0 for entry in slots})
    missing = next((n for n, number in enumerate(numbers) if n != number), None)
    if missing is not None:
        entry = next(e for e in slots if e.partition.subtype - APP_OTA_0 > missing)
        slot = subtype_name(APP, entry.partition.subtype)
        message = f"there is {slot} but no ota_{missing}: the boot loader takes the number of slots for their numbers"
        yield Problem("layout-ota-gap", entry.line, message, f"use the subtype ota_{missing}")


def ota_single(layout: Layout) -> Iterator[Problem]:
    slots = _ota_slots(layout)
    has_factory = any(p.is_of(APP, APP_FACTORY) for _, p in layout.entries)
    if len(slots) == 1 and not has_factory and layout.is_complete:
        message = f"`{slots[0].partition.name}` is the only application: it cannot be updated while it runs"
        hint = "add a slot ota_1 of the same size, or make it app/factory"
        yield Problem("layout-ota-single", slots[0].line, message, hint)


def readonly(layout: Layout) -> Iterator[Problem]:
    for line, partition in layout.entries:
        if partition.readonly and partition.type in (APP, BOOTLOADER, PARTITION_TABLE):
            what = type_name(partition.type)
            message = f"`{partition.name}` is readonly: an update of this {what} ends in ESP_ERR_NOT_ALLOWED"
            yield Problem("layout-readonly-app", line, message, "remove the flag `readonly`")
