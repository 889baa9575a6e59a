"""Rules about tables of the same product: the one that devices in the field have, and the one of a connected board."""

from __future__ import annotations

from collections.abc import Iterator

from fctry.findings import ERROR, WARNING, Finding
from fctry.partitions.keywords import subtype_name, type_name
from fctry.partitions.layout import Layout
from fctry.partitions.placing import Entry
from fctry.partitions.rule import NOTHING, Evidence, LayoutRule, Needs
from fctry.partitions.rules import geometry
from fctry.partitions.table import Partition

REMOVED = LayoutRule("layout-against-removed", WARNING, "no partition disappears", needs=Needs.AGAINST)
MOVED = LayoutRule("layout-against-moved", WARNING, "no partition moves", needs=Needs.AGAINST)
SHRUNK = LayoutRule("layout-against-shrunk", WARNING, "no partition shrinks", needs=Needs.AGAINST)
RETYPED = LayoutRule("layout-against-retyped", WARNING, "no partition changes its type", needs=Needs.AGAINST)
ENCRYPTED = LayoutRule(
    "layout-against-encrypted", WARNING, "no partition changes its encryption", needs=Needs.AGAINST
)


@LayoutRule(
    "layout-against-factory", ERROR, "the factory partition stays where and what it was", needs=Needs.AGAINST
)
def factory(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    """What changes for a device that was flashed with the old table; of one that cannot be read whole, why not."""
    old = evidence.old
    if not old:
        return
    if not old.is_complete or not old.entries:
        yield from _faults(old)
    if not layout.is_complete:
        return
    entries = {entry.partition.name: entry for entry in layout.entries}
    protected = {entry.partition.name for entry in old.factory_entries(evidence.factory)}
    for _, before in old.entries:
        entry = entries.get(before.name)
        for rule, message in _changes(layout, before, entry):
            is_protected = before.name in protected and rule is not ENCRYPTED
            keep = f"keep `{before.name}, {_kind(before)}, {before.offset:#x}, {before.size_bytes:#x}`"
            yield (factory if is_protected else rule).at(entry.line if entry else 0, message, keep)


def _faults(old: Layout) -> Iterator[Finding]:
    for finding in (*old.findings, *geometry.empty.find(old, NOTHING)):
        message = f"this is the table to compare with, and it cannot be read whole: {finding.message}"
        yield finding._replace(message=message, file=old.file)


def _changes(layout: Layout, before: Partition, entry: Entry | None) -> Iterator[tuple[LayoutRule, str]]:
    name, was = before.name, f"{before.offset:#x}"
    if entry is None:
        yield REMOVED, f"`{name}` ({_kind(before)} at {was}) is gone{_who_is_there(layout, before)}"
        return
    after = entry.partition
    if (after.type, after.subtype) != (before.type, before.subtype):
        yield (
            RETYPED,
            f"`{name}` was {_kind(before)} and is {_kind(after)}: what it holds is read as something else",
        )
    if after.offset != before.offset:
        message = f"`{name}` moves from {was} to {after.offset:#x}: what it holds stays behind"
        yield MOVED, message + _who_is_there(layout, before)
    elif after.size_bytes < before.size_bytes:
        message = f"`{name}` shrinks from {before.size_bytes:#x} to {after.size_bytes:#x} bytes"
        yield SHRUNK, message + _who_is_there(layout, before)
    if after.encrypted != before.encrypted:
        message = f"`{name}` was {'' if before.encrypted else 'not '}flagged encrypted, now it is the other way round"
        yield ENCRYPTED, message + ": with flash encryption what it holds is unreadable"


def _kind(partition: Partition) -> str:
    return f"{type_name(partition.type)}/{subtype_name(partition.type, partition.subtype)}"


def _who_is_there(layout: Layout, before: Partition) -> str:
    others = [
        f"`{p.name}`"
        for _, p in layout.entries
        if p.name != before.name and p.offset < before.end and before.offset < p.end
    ]
    return f", its flash goes to {', '.join(others)}" if others else ""


@LayoutRule("layout-device", ERROR, "the connected board has this table", needs=Needs.DEVICE)
def device(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    if evidence.device is None or not layout.is_complete:
        return
    hint = "flash this table (`idf.py partition-table-flash`), or check the CSV that the board was made with"
    on_board = {partition.name: partition for partition in evidence.device}
    for line, partition in layout.entries:
        other = on_board.pop(partition.as_flashed.name, None)
        if other is None:
            yield device.at(line, f"the board has no `{partition.name}`", hint)
        elif other != partition.as_flashed:
            message = f"the board's `{partition.name}` is {_place(other)}, here it is {_place(partition)}"
            yield device.at(line, message, hint)
    for other in on_board.values():
        yield device.at(0, f"the board has `{other.name}` ({_place(other)}), the CSV has not", hint)


def _place(partition: Partition) -> str:
    flags = [flag for flag in ("encrypted", "readonly") if getattr(partition, flag)]
    return " ".join(
        [_kind(partition), f"at {partition.offset:#x},", f"{partition.size_bytes:#x} bytes", *flags]
    )
