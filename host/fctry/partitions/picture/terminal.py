"""A flash map as characters, to scale: each cell is the same number of bytes, one row after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby, zip_longest
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


def owners(flash: FlashMap, cell: int) -> list[Segment | None]:
    """The segment that each cell shows: the one that has most of it, the smaller one when two have as much.

    A segment that would not be seen at all takes a cell from one that has more than that one, if there is any.
    """
    count = -(-flash.size_bytes // cell)
    found: list[Segment | None] = [None] * count
    shares = [0] * count
    by_size = sorted((s for s in flash.segments if s.size_bytes), key=lambda s: -s.size_bytes)
    for segment in by_size:
        for index, share in _cells(segment, cell, count):
            if share >= shares[index]:
                found[index], shares[index] = segment, share
    cells_of = Counter(found)
    for segment in by_size:
        if not cells_of[segment]:
            in_reach = sorted(_cells(segment, cell, count), key=lambda share: -share[1])
            place = next((index for index, _ in in_reach if cells_of[found[index]] > 1), None)
            if place is not None:
                cells_of[found[place]] -= 1
                cells_of[segment] += 1
                found[place] = segment
    return found


def grid(flash: FlashMap, letters: Mapping[str, str], columns: int, cell: int) -> list[list[Cell]]:
    """Rows of cells, from the first byte of the flash to the last."""
    cells = [_cell(owner, letters) for owner in owners(flash, cell)]
    return [cells[at : at + columns] for at in range(0, len(cells), columns)]


class Row(NamedTuple):
    """A row of the picture, of each map its cells, and how many rows below it are the same and left out."""

    offset: int
    cells: tuple[tuple[Cell, ...], ...]
    left_out: int = 0


def picture(
    maps: Sequence[FlashMap], letters: Mapping[str, str], columns: int, rows_max: int = MAX_ROWS
) -> tuple[int, list[Row]]:
    """The bytes of a cell and the rows: cells are sectors, or as much larger as it takes to stay below `rows_max`."""
    cell = MIN_CELL_BYTES
    while len(rows := _rows(maps, letters, columns, cell)) > rows_max:
        cell *= 2
    return cell, rows


def _rows(maps: Sequence[FlashMap], letters: Mapping[str, str], columns: int, cell: int) -> list[Row]:
    grids = [map(tuple, grid(flash, letters, columns, cell)) for flash in maps]
    blank = (Cell(" ", None),) * columns
    rows: list[Row] = []
    numbered = enumerate(zip_longest(*grids, fillvalue=blank))
    for cells, same in groupby(numbered, key=lambda row: row[1]):
        offsets = [number * columns * cell for number, _ in same]
        if len(offsets) < 4:
            rows += [Row(offset, cells) for offset in offsets]
        else:
            rows.append(Row(offsets[0], cells, len(offsets) - 1))
    return rows


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
    return Cell(_mark(owner, letters), owner.kind)


def _mark(segment: Segment, letters: Mapping[str, str]) -> str:
    return letters.get(segment.name) or MARKS.get(segment.kind, "?")


class LegendRow(NamedTuple):
    """A line under the picture."""

    mark: str
    kind: Kind
    label: str
    detail: str
    offset: str
    last: str
    size: str


def legend(flash: FlashMap, letters: Mapping[str, str], cell: int) -> list[LegendRow]:
    """All segments in the order of their offsets; those that the picture has no cell for have no mark."""
    drawn = set(owners(flash, cell))
    return [
        LegendRow(
            _mark(segment, letters) if segment in drawn else " ",
            segment.kind,
            segment.label,
            segment.detail,
            hex_text(segment.offset, flash.size_bytes),
            hex_text(segment.end - 1, flash.size_bytes),
            size_text(segment.size_bytes),
        )
        for segment in flash.segments
    ]


def summary(flash: FlashMap) -> str:
    """One line: how big the flash is, and how much of it is free or lost."""
    free, lost = flash.total(Kind.FREE), flash.total(Kind.ALIGNMENT)
    return (
        f"{flash.title}: flash {size_text(flash.size_bytes)}, free {size_text(free)}, "
        f"lost to alignment {size_text(lost)}"
    )
