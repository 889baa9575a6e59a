"""Fills in the offsets that a CSV leaves open and turns end addresses into sizes.

Source: ESP-IDF v5.5.5 components/partition_table/gen_esp32part.py, PartitionTable.from_csv.
"""

from __future__ import annotations

from typing import NamedTuple

from fctry.partitions.options import Options
from fctry.partitions.problems import Problem
from fctry.partitions.rows import Row
from fctry.partitions.table import APP, SECTOR_BYTES, Partition

APP_ALIGNMENT = 0x10000
MAX_ADDRESS = 0xFFFFFFFF


class Entry(NamedTuple):
    """A partition and the line that describes it."""

    line: int
    partition: Partition


def alignment_of(type_: int) -> int:
    """What the offset of a partition of this type is a multiple of, in bytes."""
    return APP_ALIGNMENT if type_ == APP else SECTOR_BYTES


def align_up(address: int, alignment: int) -> int:
    """``address``, or the next multiple of ``alignment`` after it."""
    return -(-address // alignment) * alignment


def place(rows: list[Row], options: Options) -> tuple[list[Entry], list[Problem]]:
    """The partitions of all rows whose place can be known, and what is wrong with their places in the CSV's order.

    After a row that could not be read, rows without an offset of their own have no place and no problem either.
    """
    entries: list[Entry] = []
    problems: list[Problem] = []
    end: int | None = options.first_offset
    previous: Entry | None = None
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
        entry = Entry(row.line, partition)
        problem = _range_problem(row, partition)
        if problem:
            problems.append(problem)
            end = None
            continue
        entries.append(entry)
        if partition.is_primary and options.places_primary_entries:
            continue  # these lie before the table's end and take no part in filling in
        if end is not None and offset < end:
            problems.append(_order_problem(entry, previous, end, options))
        end = partition.end
        previous = entry
    return entries, problems


def _range_problem(row: Row, partition: Partition) -> Problem | None:
    offset, size_bytes = partition.offset, partition.size_bytes
    if row.size_bytes is not None and row.size_bytes < 0 and size_bytes < 0:
        message = f"`{row.name}` would end at {-row.size_bytes:#x}, before its offset {offset:#x}"
        hint = "a negative size is the address at which the partition ends: write a later one, or a size"
        return Problem("layout-end-address", row.line, message, hint)
    if not 0 <= offset <= MAX_ADDRESS:
        hint = "offsets are 0 to 0xFFFFFFFF"
        return Problem("layout-range", row.line, f"the offset {offset:#x} does not fit 32 bits", hint)
    if size_bytes > MAX_ADDRESS:
        hint = "sizes are 0 to 0xFFFFFFFF"
        return Problem("layout-range", row.line, f"the size {size_bytes:#x} does not fit 32 bits", hint)
    return None


def _order_problem(entry: Entry, previous: Entry | None, end: int, options: Options) -> Problem:
    partition = entry.partition
    free = align_up(end, alignment_of(partition.type))
    if previous is None or partition.offset < options.first_offset:
        free = max(free, align_up(options.first_offset, alignment_of(partition.type)))
        message = (
            f"`{partition.name}` at {partition.offset:#x} is inside or before the partition table, "
            f"which occupies {options.table_offset:#x} to {options.first_offset - 1:#x}"
        )
        return Problem(
            "layout-table-overlap", entry.line, message, f"use the offset {free:#x} or a later one"
        )
    before = previous.partition
    if partition.end > before.offset:
        message = f"`{partition.name}` at {partition.offset:#x} overlaps `{before.name}`, which ends at {before.end:#x}"
        return Problem("layout-overlap", entry.line, message, f"use the offset {free:#x} or a later one")
    message = (
        f"`{partition.name}` at {partition.offset:#x} is listed after `{before.name}` at {before.offset:#x}"
    )
    hint = f"move the line of `{partition.name}` up: partitions are listed in the order of their offsets"
    return Problem("layout-order", entry.line, message, hint)
