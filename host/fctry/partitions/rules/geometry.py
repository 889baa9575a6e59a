"""Rules about where partitions are and how big: for all types alike.

Source: ESP-IDF v5.5.5 components/partition_table/gen_esp32part.py, PartitionTable.verify.
"""

from __future__ import annotations

from collections.abc import Iterator

from fctry.findings import ERROR, WARNING, Finding
from fctry.partitions.layout import Layout
from fctry.partitions.options import SecureBoot
from fctry.partitions.placing import MAX_ADDRESS, Entry, align_up, alignment_of
from fctry.partitions.rule import Evidence, LayoutRule
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
    Partition,
)

SECURE_BOOT_V1_APP_SIZE = 0x10000


TABLE_OVERLAP = LayoutRule(
    "layout-table-overlap", ERROR, "partitions come after the partition table", enforced=True
)
ORDER = LayoutRule(
    "layout-order", ERROR, "partitions are listed in the order of their offsets", enforced=True
)


@LayoutRule("layout-overlap", ERROR, "partitions do not overlap", enforced=True)
def overlap(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    """Partitions that share flash with another or with the partition table: as listed, then however they are listed.

    Of two that overlap one is told to move, never both: they would meet again.
    """
    told = list(_out_of_order(layout))
    yield from told
    lines = {finding.line for finding in told}
    first = layout.options.first_offset
    previous = None
    for entry in layout.by_offset:
        partition = entry.partition
        if entry.line not in lines:
            if partition.offset < first and not layout.is_placed(partition):
                message = (
                    f"`{partition.name}` at {partition.offset:#x} is below {first:#x}, where the table ends"
                )
                yield TABLE_OVERLAP.at(entry.line, message, _use_offset(partition, first))
            elif previous and previous.line not in lines and partition.offset < previous.partition.end:
                yield _overlap(layout, entry, previous.partition, previous.partition.end)
        previous = entry


def _out_of_order(layout: Layout) -> Iterator[Finding]:
    """What gen_esp32part.py refuses: an offset before the end of the line above. A line without place ends the row."""
    entries = {entry.line: entry for entry in layout.entries}
    options = layout.options
    end: int | None = options.first_offset
    previous: Partition | None = None
    for row in layout.rows:
        entry = entries.get(row.line)
        if entry is None:
            end = None
            continue
        partition = entry.partition
        if layout.is_placed(partition):
            continue
        if end is not None and partition.offset < end:
            if previous is None or partition.offset < options.first_offset:
                message = (
                    f"`{partition.name}` at {partition.offset:#x} is inside or before the partition table, "
                )
                message += f"which occupies {options.table_offset:#x} to {options.first_offset - 1:#x}"
                yield TABLE_OVERLAP.at(
                    entry.line, message, _use_offset(partition, max(end, options.first_offset))
                )
            elif partition.end > previous.offset:
                yield _overlap(layout, entry, previous, end)
            else:
                message = f"`{partition.name}` at {partition.offset:#x} is listed after `{previous.name}` at "
                message += f"{previous.offset:#x}"
                hint = f"move the line of `{partition.name}` up: partitions are listed in the order of their offsets"
                yield ORDER.at(entry.line, message, hint)
        end = partition.end
        previous = partition


def _overlap(layout: Layout, entry: Entry, previous: Partition, end: int) -> Finding:
    partition = entry.partition
    message = f"`{partition.name}` at {partition.offset:#x} overlaps `{previous.name}`, which ends at {previous.end:#x}"
    free = align_up(end, alignment_of(partition.type)) + partition.size_bytes
    if free > (layout.options.flash_size_bytes or MAX_ADDRESS) and partition.offset > previous.offset:
        hint = f"no room behind it: shrink `{previous.name}` to {partition.offset - previous.offset:#x} bytes"
        return overlap.at(entry.line, message, hint)
    return overlap.at(entry.line, message, _use_offset(partition, end))


def _use_offset(partition: Partition, end: int) -> str:
    return f"use the offset {align_up(end, alignment_of(partition.type)):#x} or a later one"


@LayoutRule(
    "layout-offset-alignment", ERROR, "applications start at 64 KB, all others at 4 KB", enforced=True
)
def offset_alignment(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    for line, partition in layout.by_offset:
        alignment = alignment_of(partition.type)
        if partition.offset % alignment:
            up = align_up(partition.offset, alignment)
            free = [f"{at:#x}" for at in (up, up - alignment) if _is_free(layout, partition, at)]
            message = (
                f"the offset {partition.offset:#x} of `{partition.name}` is not a multiple of {alignment:#x}"
            )
            hint = f"use {' or '.join(free)}, or leave it empty" if free else "leave it empty"
            yield offset_alignment.at(line, message, hint)


def _is_free(layout: Layout, partition: Partition, offset: int) -> bool:
    """Whether this partition could begin there."""
    end = offset + partition.size_bytes
    others = (other for _, other in layout.entries if other is not partition)
    return offset >= layout.options.first_offset and not any(
        p.offset < end and offset < p.end for p in others
    )


@LayoutRule("layout-app-size", ERROR, "an application's size is a multiple of 4 KB", enforced=True)
def app_size(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    is_v1 = layout.options.secure_boot is SecureBoot.V1
    alignment = SECURE_BOOT_V1_APP_SIZE if is_v1 else SECTOR_BYTES
    for entry in layout.entries:
        partition = entry.partition
        if partition.type == APP and partition.size_bytes % alignment:
            message = f"the size {partition.size_bytes:#x} of `{partition.name}` is not a multiple of {alignment:#x}"
            message += ": secure boot v1 signs whole 64 KB" if is_v1 else ""
            down = partition.size_bytes // alignment * alignment
            up = align_up(partition.size_bytes, alignment)
            yield app_size.at(entry.line, message, f"use {up:#x}" + (f" or {down:#x}" if down else ""))


@LayoutRule("layout-flash-size", ERROR, "all partitions are inside the flash chip", enforced=True)
def flash_size(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    size_bytes = layout.options.flash_size_bytes
    if size_bytes is None:
        return
    for entry in layout.entries:
        partition = entry.partition
        if partition.end > size_bytes:
            message = f"`{partition.name}` ends at {partition.end:#x}, the flash at {size_bytes:#x}"
            needed = 1 << (partition.end - 1).bit_length()
            hint = f"shrink the layout by {partition.end - size_bytes:#x} bytes, or use a flash of {needed >> 20} MB"
            yield flash_size.at(entry.line, message, hint)


@LayoutRule("layout-too-many", ERROR, "there are at most 94 partitions", enforced=True)
def too_many(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    limit = MAX_PARTITIONS if layout.options.md5 else MAX_PARTITIONS_WITHOUT_MD5
    if len(layout.entries) > limit:
        message = f"{len(layout.entries)} partitions, but the table holds {limit}"
        yield too_many.at(layout.entries[limit].line, message, "merge or remove partitions")


@LayoutRule("layout-empty", ERROR, "the table has a partition")
def empty(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    if not layout.entries and layout.is_complete:
        hint = "the boot loader refuses a table without entries: add at least an application"
        yield empty.at(0, "there is no partition", hint)


@LayoutRule("layout-size-zero", ERROR, "a partition has a size")
def size_zero(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    for line, partition in layout.entries:
        if not partition.size_bytes:
            yield size_zero.at(line, f"`{partition.name}` has no bytes", "use 0x1000 or more")


@LayoutRule("layout-size-sectors", WARNING, "a partition consists of whole sectors of 4 KB")
def size_sectors(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
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
            yield size_sectors.at(line, message, hint)
