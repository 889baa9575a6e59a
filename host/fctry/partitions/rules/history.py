"""Rules about tables of the same product: the one that devices in the field have, and the one of a connected board."""

from __future__ import annotations

from collections.abc import Iterator

from fctry.partitions.keywords import subtype_name, type_name
from fctry.partitions.layout import Layout
from fctry.partitions.placing import Entry
from fctry.partitions.problems import Problem
from fctry.partitions.rules.geometry import empty
from fctry.partitions.rules.recipe import factory_entries
from fctry.partitions.table import Partition, PartitionTable


def against(layout: Layout, old: Layout, factory: str | None) -> Iterator[Problem]:
    """What changes for a device that was flashed with ``old``; of one that cannot be read whole, why not."""
    if not old.is_complete or not old.entries:
        yield from _faults(old)
    if not layout.is_complete:
        return
    entries = {entry.partition.name: entry for entry in layout.entries}
    protected = {entry.partition.name for entry in factory_entries(old, factory)}
    for _, before in old.entries:
        entry = entries.get(before.name)
        changes = list(_changes(layout, before, entry))
        line = entry.line if entry else 0
        for code, message, hint in changes:
            is_protected = before.name in protected and code != "layout-against-encrypted"
            yield Problem("layout-against-factory" if is_protected else code, line, message, hint)


def _faults(old: Layout) -> Iterator[Problem]:
    for problem in (*old.problems, *empty(old)):
        message = f"this is the table to compare with, and it cannot be read whole: {problem.message}"
        yield problem._replace(message=message, file=problem.file or old.file)


def _changes(layout: Layout, before: Partition, entry: Entry | None) -> Iterator[tuple[str, str, str]]:
    name, was = before.name, f"{before.offset:#x}"
    keep = f"keep `{name}, {_kind(before)}, {before.offset:#x}, {before.size_bytes:#x}`"
    if entry is None:
        message = f"`{name}` ({_kind(before)} at {was}) is gone{_who_is_there(layout, before)}"
        yield "layout-against-removed", message, keep
        return
    after = entry.partition
    if (after.type, after.subtype) != (before.type, before.subtype):
        message = (
            f"`{name}` was {_kind(before)} and is {_kind(after)}: what it holds is read as something else"
        )
        yield "layout-against-retyped", message, keep
    if after.offset != before.offset:
        message = f"`{name}` moves from {was} to {after.offset:#x}: what it holds stays behind"
        yield "layout-against-moved", message + _who_is_there(layout, before), keep
    elif after.size_bytes < before.size_bytes:
        message = f"`{name}` shrinks from {before.size_bytes:#x} to {after.size_bytes:#x} bytes"
        yield "layout-against-shrunk", message + _who_is_there(layout, before), keep
    if after.encrypted != before.encrypted:
        message = f"`{name}` was {'' if before.encrypted else 'not '}flagged encrypted, now it is the other way round"
        yield (
            "layout-against-encrypted",
            message + ": with flash encryption what it holds is unreadable",
            keep,
        )


def _kind(partition: Partition) -> str:
    return f"{type_name(partition.type)}/{subtype_name(partition.type, partition.subtype)}"


def _who_is_there(layout: Layout, before: Partition) -> str:
    others = [
        f"`{p.name}`"
        for _, p in layout.entries
        if p.name != before.name and p.offset < before.end and before.offset < p.end
    ]
    return f", its flash goes to {', '.join(others)}" if others else ""


def device(layout: Layout, found: PartitionTable) -> Iterator[Problem]:
    """Where the table of a board differs."""
    if not layout.is_complete:
        return
    hint = "flash this table (`idf.py partition-table-flash`), or check the CSV that the board was made with"
    on_board = {partition.name: partition for partition in found}
    for line, partition in layout.entries:
        other = on_board.pop(partition.as_flashed.name, None)
        if other is None:
            yield Problem("layout-device", line, f"the board has no `{partition.name}`", hint)
        elif other != partition.as_flashed:
            message = f"the board's `{partition.name}` is {_place(other)}, here it is {_place(partition)}"
            yield Problem("layout-device", line, message, hint)
    for other in on_board.values():
        yield Problem(
            "layout-device", 0, f"the board has `{other.name}` ({_place(other)}), the CSV has not", hint
        )


def _place(partition: Partition) -> str:
    flags = [flag for flag in ("encrypted", "readonly") if getattr(partition, flag)]
    return " ".join(
        [_kind(partition), f"at {partition.offset:#x},", f"{partition.size_bytes:#x} bytes", *flags]
    )
