"""Partitions that a layout is missing, as lines to add: each at a place of its own, so that they fit together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from fctry.errors import InputError
from fctry.findings import Finding, Severity
from fctry.partitions.keywords import subtype_name, type_name
from fctry.partitions.layout import Layout
from fctry.partitions.placing import MAX_ADDRESS, align_up, alignment_of
from fctry.partitions.spaces import spaces
from fctry.partitions.table import APP, DATA, DATA_FAT, DATA_LITTLEFS, DATA_SPIFFS


class NewLine(NamedTuple):
    """A partition to add. Its place is found with those of all others that are to be added."""

    name: str
    type: int
    subtype: int
    size_bytes: int
    flags: str = ""

    def text(self, offset: str = "") -> str:
        """The line of the CSV."""
        size = f"{self.size_bytes >> 20}M" if self.type == APP else f"{self.size_bytes:#x}"
        kind = f"{type_name(self.type)}, {subtype_name(self.type, self.subtype)}"
        return f"{self.name}, {kind}, {offset}, {size}, {self.flags}".rstrip()


def with_places(layout: Layout, findings: Sequence[Finding]) -> list[Finding]:
    """The findings with remedies that say which line to add, and where; `hint` is what else they say.

    No two of the lines overlap, none shifts a line that is there, and all are inside the flash, if its size is known.
    """
    missing = [finding for finding in findings if finding.adds]
    worst_first = list(Severity)  # these get the room first, if there is little
    missing.sort(key=lambda finding: worst_first.index(finding.severity))
    places = _places(layout, [finding.adds for finding in missing]) if missing else {}
    return [
        finding._replace(hint=_remedy(layout, finding.adds, places) + finding.hint)
        if finding.adds
        else finding
        for finding in findings
    ]


def with_line(text: str, layout: Layout, line: NewLine) -> str:
    """The CSV `text` of a layout with one line more, where none that is there is moved.

    Raises InputError when there is no room.
    """
    places = _places(layout, [line])
    if line not in places:
        raise InputError(
            f"no room for the line `{line.text()}`", hint=_make_room(layout, line), file=layout.file
        )
    offset = places[line]
    before = [number for number, one in layout.entries if one.offset < offset and not layout.is_placed(one)]
    first = min((number for number, _ in layout.entries), default=len(text.splitlines()) + 1)
    lines = text.splitlines()
    lines.insert(max(before, default=first - 1), line.text(hex(offset)))
    end = "\r\n" if "\r\n" in text else "\n"
    return end.join(lines) + end


def _places(layout: Layout, lines: Sequence[NewLine]) -> dict[NewLine, int]:
    """The lowest free offset for one line after the other; what has no room is left out."""
    flash_size_bytes = layout.options.flash_size_bytes or MAX_ADDRESS + 1
    free = [(space.offset, min(space.end, flash_size_bytes)) for space in spaces(layout, flash_size_bytes)]
    places: dict[NewLine, int] = {}
    for line in lines:
        for number, (start, end) in enumerate(free):
            offset = align_up(start, alignment_of(line.type))
            if offset + line.size_bytes <= end:
                free[number : number + 1] = [(start, offset), (offset + line.size_bytes, end)]
                places[line] = offset
                break
    return places


def _remedy(layout: Layout, line: NewLine, places: dict[NewLine, int]) -> str:
    if line not in places:
        return f"no room for the line `{line.text()}`: {_make_room(layout, line)}"
    offset = places[line]
    above = {p.offset: f"below line {number}" for number, p in layout.entries if not layout.is_placed(p)}
    above |= {other: f"below the line of `{one.name}`" for one, other in places.items()}
    end = max((partition.end for _, partition in layout.entries), default=layout.options.first_offset)
    is_open = layout.options.flash_size_bytes is None and offset >= end
    where = above[max(before)] if (before := [at for at in above if at < offset]) else "as the first line"
    same = next((number for number, partition in layout.entries if partition.name == line.name), None)
    rename = f"rename `{line.name}` of line {same}, and " if same else ""
    return f"{rename}add the line `{line.text('' if is_open else hex(offset))}` {where}"


def _make_room(layout: Layout, line: NewLine) -> str:
    """Which partition to shrink: a file system if there is one that is large enough, else the largest."""
    needed = align_up(line.size_bytes, alignment_of(line.type))
    large = [partition for _, partition in layout.entries if partition.size_bytes > 2 * needed]
    if not large:
        return "use a larger flash"
    file_systems = [p for p in large if p.is_of(DATA, DATA_FAT, DATA_SPIFFS, DATA_LITTLEFS)]
    largest = max(file_systems or large, key=lambda partition: partition.size_bytes)
    return f"shrink `{largest.name}` by {needed:#x}"
