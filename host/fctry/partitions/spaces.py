"""The flash that no partition uses."""

from __future__ import annotations

from typing import NamedTuple

from fctry.partitions.layout import Layout
from fctry.partitions.placing import align_up, alignment_of


class Space(NamedTuple):
    """A piece of flash without owner, `end` exclusive.

    `is_alignment` tells that it is there only because the partition after it must start at a multiple of 64 KB (or
    4 KB): nothing is lost by filling it.
    """

    offset: int
    end: int
    is_alignment: bool

    @property
    def size_bytes(self) -> int:
        return self.end - self.offset


def spaces(layout: Layout, flash_size_bytes: int | None = None) -> list[Space]:
    """The spaces between the partition table, the partitions and, where the flash's size is known, its end."""
    flash_size_bytes = flash_size_bytes or layout.options.flash_size_bytes
    found: list[Space] = []
    end = layout.options.first_offset
    for _, partition in layout.by_offset:
        if partition.offset > end:
            is_alignment = partition.offset == align_up(end, alignment_of(partition.type))
            found.append(Space(end, partition.offset, is_alignment))
        end = max(end, partition.end)
    if flash_size_bytes and flash_size_bytes > end:
        found.append(Space(end, flash_size_bytes, is_alignment=False))
    return found
