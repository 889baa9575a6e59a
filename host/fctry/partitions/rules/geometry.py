"""Rules about where partitions are and how big: for all types alike.

Source: ESP-IDF v5.5.5 components/partition_table/gen_esp32part.py, PartitionTable.verify.
"""

from __future__ import annotations

from collections.abc import Iterator

from fctry.partitions.layout import Layout
from fctry.partitions.options import SecureBoot
from fctry.partitions.placing import align_up, alignment_of
from fctry.partitions.problems import Problem
from fctry.partitions.table import (
    APP,
    DATA,
    DATA_NVS,
    DATA_NVS_KEYS,
    DATA_OTA,
    DATA_TEE_OTA,
    MAX_PARTITIONS,
    MAX_PARTITIONS_WITHOUT_MD5,
    SECTOR_BYTES,
)

SECURE_BOOT_V1_APP_SIZE = 0x10000


def overlaps(layout: Layout) -> Iterator[Problem]:
    """Partitions that share flash with their neighbour or with the partition table, however they are listed."""
    first = layout.options.first_offset
    told = {problem.line for problem in layout.problems}  # from reading the lines in their order
    previous = None
    for entry in layout.by_offset:
        partition = entry.partition
        if entry.line not in told:
            if partition.offset < first and not (
                partition.is_primary and layout.options.places_primary_entries
            ):
                message = (
                    f"`{partition.name}` at {partition.offset:#x} is below {first:#x}, where the table ends"
                )
                free = align_up(first, alignment_of(partition.type))
                yield Problem(
                    "layout-table-overlap", entry.line, message, f"use the offset {free:#x} or a later one"
                )
            elif previous and partition.offset < previous.end:
                message = f"`{partition.name}` at {partition.offset:#x} overlaps `{previous.name}`, "
                message += f"which ends at {previous.end:#x}"
                free = align_up(previous.end, alignment_of(partition.type))
                yield Problem(
                    "layout-overlap", entry.line, message, f"use the offset {free:#x} or a later one"
                )
        previous = partition


def offset_alignment(layout: Layout) -> Iterator[Problem]:
    end = layout.options.first_offset
    for line, partition in layout.by_offset:
        alignment = alignment_of(partition.type)
        if partition.offset % alignment:
            down = partition.offset // alignment * alignment
            offsets = f"{align_up(partition.offset, alignment):#x}" + (
                f" or {down:#x}" if down >= end else ""
            )
            message = (
                f"the offset {partition.offset:#x} of `{partition.name}` is not a multiple of {alignment:#x}"
            )
            yield Problem("layout-offset-alignment", line, message, f"use {offsets}, or leave it empty")
        end = max(end, partition.end)


def app_size(layout: Layout) -> Iterator[Problem]:
    is_v1 = layout.options.secure_boot is SecureBoot.V1
    alignment = SECURE_BOOT_V1_APP_SIZE if is_v1 else SECTOR_BYTES
    for entry in layout.entries:
        partition = entry.partition
        if partition.type == APP and partition.size_bytes % alignment:
            message = f"the size {partition.size_bytes:#x} of `{partition.name}` is not a multiple of {alignment:#x}"
            message += ": secure boot v1 signs whole 64 KB" if is_v1 else ""
            down = partition.size_bytes // alignment * alignment
            up = align_up(partition.size_bytes, alignment)
            yield Problem(
                "layout-app-size", entry.line, message, f"use {up:#x}" + (f" or {down:#x}" if down else "")
            )


def flash_size(layout: Layout) -> Iterator[Problem]:
    size_bytes = layout.options.flash_size_bytes
    if size_bytes is None:
        return
    for entry in layout.entries:
        partition = entry.partition
        if partition.end > size_bytes:
            message = f"`{partition.name}` ends at {partition.end:#x}, the flash at {size_bytes:#x}"
            needed = 1 << (partition.end - 1).bit_length()
            hint = f"shrink the layout by {partition.end - size_bytes:#x} bytes, or use a flash of {needed >> 20} MB"
            yield Problem("layout-flash-size", entry.line, message, hint)


def too_many(layout: Layout) -> Iterator[Problem]:
    limit = MAX_PARTITIONS if layout.options.md5 else MAX_PARTITIONS_WITHOUT_MD5
    if len(layout.entries) > limit:
        message = f"{len(layout.entries)} partitions, but the table holds {limit}"
        yield Problem("layout-too-many", layout.entries[limit].line, message, "merge or remove partitions")


def empty(layout: Layout) -> Iterator[Problem]:
    if not layout.entries and layout.is_complete:
        hint = "the boot loader refuses a table without entries: add at least an application"
        yield Problem("layout-empty", 0, "there is no partition", hint)


def size_zero(layout: Layout) -> Iterator[Problem]:
    for line, partition in layout.entries:
        if not partition.size_bytes:
            yield Problem("layout-size-zero", line, f"`{partition.name}` has no bytes", "use 0x1000 or more")


def size_sectors(layout: Layout) -> Iterator[Problem]:
    for line, partition in layout.entries:
        has_own_rule = partition.type == APP or partition.is_of(
            DATA, DATA_OTA, DATA_NVS, DATA_NVS_KEYS, DATA_TEE_OTA
        )
        if partition.size_bytes % SECTOR_BYTES and not has_own_rule:
            message = (
                f"the size {partition.size_bytes:#x} of `{partition.name}` is not a multiple of 0x1000: "
            )
            message += "the whole of it cannot be erased (ESP_ERR_INVALID_SIZE)"
            hint = f"use {align_up(partition.size_bytes, SECTOR_BYTES):#x}: the rest of the sector is free anyway"
            yield Problem("layout-size-sectors", line, message, hint)
