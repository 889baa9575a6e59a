"""A flash map as characters, to scale: each cell is the same number of bytes, one row after the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from fctry.partitions.picture.flashmap import FlashMap, Kind, Segment, hex_text, size_text

MAX_ROWS = 32
MIN_CELL_BYTES = 0x1000
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
MARKS: Mapping[Kind, str] = {
    Kind.RESERVED: "x",
    Kind.BOOTLOADER: "#",
    Kind.TABLE: "=",
    Kind.ALIGNMENT: "~",
    Kind.FREE: "·",
}


class Cell(NamedTuple):
    """One character of the picture and what it stands for."""

    mark: str
    kind: Kind | None


def marks(*maps: FlashMap) -> dict[str, str]:
    """A letter for each partition name, the same in all maps."""
    names: dict[str, None] = {}
    for flash in maps:
        names.update({segment.name: None for segment in flash.segments if segment.name})
    return {name: LETTERS[number % len(LETTERS)] for number, name in enumerate(names)}


def cell_bytes(flash_bytes: int, columns: int) -> int:
    """The size of a cell with which the picture has at most 32 rows: a power of two, and no less than a sector."""
    size = MIN_CELL_BYTES
    while size * columns * MAX_ROWS < flash_bytes:
        size *= 2
    return size


def grid(flash: FlashMap, letters: Mapping[str, str], columns: int, cell: int) -> list[list[Cell]]:
    """Rows of cells. A cell shows the segment that has the most of it, the smaller one when two have as much.

    A segment that would not be seen at all takes the cell in which it has most, so that none is missing.
    """
    count = -(-flash.size_bytes // cell)
    owners: list[Segment | None] = [None] * count
    shares = [0] * count
    for segment in sorted(flash.segments, key=lambda s: -s.size_bytes):
        for index, share in _cells(segment, cell, count):
            if share >= shares[index]:
                owners[index], shares[index] = segment, share
    seen = set(owners)
    for segment in sorted(flash.segments, key=lambda s: -s.size_bytes):
        if segment not in seen and segment.size_bytes:
            index, _ = max(_cells(segment, cell, count), key=lambda found: found[1])
            owners[index] = segment
    cells = [_cell(owner, letters) for owner in owners]
    return [cells[at : at + columns] for at in range(0, count, columns)]


def _cells(segment: Segment, cell: int, count: int) -> list[tuple[int, int]]:
    """The cells of a segment, each with the bytes it has of it."""
    first, last = segment.offset // cell, min(count, -(-segment.end // cell))
    return [
        (index, min(segment.end, (index + 1) * cell) - max(segment.offset, index * cell))
        for index in range(first, last)
    ]


def _cell(owner: Segment | None, letters: Mapping[str, str]) -> Cell:
    if owner is None:
        return Cell(" ", None)
    return Cell(letters.get(owner.name) or MARKS.get(owner.kind, "?"), owner.kind)


class LegendRow(NamedTuple):
    """A line under the picture."""

    mark: str
    kind: Kind
    label: str
    detail: str
    offset: str
    last: str
    size: str


def legend(flash: FlashMap, letters: Mapping[str, str]) -> list[LegendRow]:
    """All segments in the order of their offsets."""
    return [
        LegendRow(
            letters.get(segment.name) or MARKS.get(segment.kind, "?"),
            segment.kind,
            segment.label,
            segment.detail,
            hex_text(segment.offset, flash.size_bytes),
            hex_text(segment.end - 1, flash.size_bytes),
            size_text(segment.size_bytes),
        )
        for segment in flash.segments
    ]


def summary(flash: FlashMap, cell: int) -> str:
    """One line: how big the flash is, how much of it is free or lost, and the scale."""
    free, lost = flash.total(Kind.FREE), flash.total(Kind.ALIGNMENT)
    return (
        f"{flash.title}: flash {size_text(flash.size_bytes)}, free {size_text(free)}, "
        f"lost to alignment {size_text(lost)}, one character is {size_text(cell)}"
    )
