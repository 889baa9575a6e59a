"""Fills in the offsets that a CSV leaves open and turns end addresses into sizes.

Source: ESP-IDF v5.5.5 components/partition_table/gen_esp32part.py, PartitionTable.from_csv.
"""

from __future__ import annotations

from typing import NamedTuple

from fctry.findings import ERROR, Finding
from fctry.partitions.options import Options
from fctry.partitions.rows import RANGE, Row
from fctry.partitions.rule import LayoutRule
from fctry.partitions.table import APP, SECTOR_BYTES, Partition

APP_ALIGNMENT = 0x10000
MAX_ADDRESS = 0xFFFFFFFF

END_ADDRESS = LayoutRule(
    "layout-end-address", ERROR, "an end address comes after the partition's offset", enforced=True
)


class Entry(NamedTuple):
    """A partition and the line that describes it."""

    line: int
    partition: Partition


def alignment_of(type_: int) -> int:
    """What the offset of a partition of this type is a multiple of, in bytes."""
    return APP_ALIGNMENT if type_ == APP else SECTOR_BYTES


def align_up(address: int, alignment: int) -> int:
    """`address`, or the next multiple of `alignment` after it."""
    return -(-address // alignment) * alignment


def place(rows: list[Row], options: Options) -> tuple[list[Entry], list[Finding]]:
    """The partitions of all rows whose place can be known, and why others have none.

    After a row that could not be read, rows without an offset of their own have no place and no problem either.
    """
    entries: list[Entry] = []
    findings: list[Finding] = []
    end: int | None = options.first_offset
    for row in rows:
        if not row.is_complete or row.type is None or row.subtype is None or row.size_bytes is None:
            end = None
            continue
        offset = row.offset
        if offset is None:
            if end is None:
                continue
            offset = align_up(end, alignment_of(row.type))
        size_bytes = row.size_bytes if row.size_bytes >= 0 else -row.size_bytes - offset
        partition = Partition(
            row.name,
            row.type,
            row.subtype,
            offset,
            size_bytes,
            encrypted=row.encrypted,
            readonly=row.readonly,
        )
        if finding := _range_finding(row, partition):
            findings.append(finding)
            end = None
            continue
        entries.append(Entry(row.line, partition))
        if not (partition.is_primary and options.places_primary_entries):
            end = partition.end  # those lie before the table's end and take no part in filling in
    return entries, findings


def _range_finding(row: Row, partition: Partition) -> Finding | None:
    offset, size_bytes = partition.offset, partition.size_bytes
    if row.size_bytes is not None and row.size_bytes < 0 and size_bytes < 0:
        message = f"`{row.name}` would end at {-row.size_bytes:#x}, before its offset {offset:#x}"
        hint = "a negative size is the address at which the partition ends: write a later one, or a size"
        return END_ADDRESS.at(row.line, message, hint)
    if not 0 <= offset <= MAX_ADDRESS:
        hint = "offsets are 0 to 0xFFFFFFFF"
        return RANGE.at(row.line, f"the offset {offset:#x} does not fit 32 bits", hint)
    if size_bytes > MAX_ADDRESS:
        hint = "sizes are 0 to 0xFFFFFFFF"
        return RANGE.at(row.line, f"the size {size_bytes:#x} does not fit 32 bits", hint)
    return None
