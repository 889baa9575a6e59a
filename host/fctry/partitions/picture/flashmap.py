"""What is where in a flash, from its first byte to its last: the partitions and all that is around them."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from fctry.partitions.keywords import subtype_name, type_name
from fctry.partitions.layout import Layout
from fctry.partitions.spaces import spaces
from fctry.partitions.table import APP, DATA, TABLE_SECTOR_BYTES, Partition

MIN_FLASH_BYTES = 1 << 20


class Kind(str, Enum):
    """What a segment is, for colours and legends."""

    RESERVED = "reserved"
    BOOTLOADER = "boot loader"
    TABLE = "partition table"
    APP = "application"
    NVS = "NVS"
    FACTORY = "factory data"
    DATA = "data"
    OTHER = "other"
    ALIGNMENT = "lost to alignment"
    FREE = "free"


class Segment(NamedTuple):
    """A piece of flash, `end` exclusive. `name` is empty for free space, `detail` the type and the flags."""

    kind: Kind
    name: str
    detail: str
    offset: int
    end: int

    @property
    def size_bytes(self) -> int:
        return self.end - self.offset

    @property
    def is_used(self) -> bool:
        return self.kind not in (Kind.FREE, Kind.ALIGNMENT, Kind.RESERVED)

    @property
    def label(self) -> str:
        """Its name, or what it is."""
        return self.name or self.kind.value


class FlashMap(NamedTuple):
    """A flash and its segments in the order of their offsets; segments overlap only where partitions do."""

    title: str
    size_bytes: int
    segments: tuple[Segment, ...]

    def total(self, *kinds: Kind) -> int:
        """The bytes in segments of these kinds."""
        return sum(segment.size_bytes for segment in self.segments if segment.kind in kinds)


def flash_map(layout: Layout, *, bootloader_offset: int, factory: str | None = None) -> FlashMap:
    """The map of `layout` on the flash of its options, or else on the smallest that holds it.

    `bootloader_offset` is where the chip's ROM looks for the boot loader, `factory` the name of the factory
    partition when it is not to be guessed.
    """
    options = layout.options
    end = max([options.first_offset, *(partition.end for _, partition in layout.entries)])
    given = options.flash_size_bytes
    size_bytes = given if given and end <= given else max(MIN_FLASH_BYTES, 1 << (end - 1).bit_length())
    protected = {entry.partition.name for entry in layout.factory_entries(factory)}
    segments = [
        Segment(_kind(p, protected), p.name, _detail(layout, p), p.offset, p.end)
        for _, p in layout.entries
        if not layout.is_placed(p)
    ]
    segments += [
        Segment(Kind.ALIGNMENT if space.is_alignment else Kind.FREE, "", "", space.offset, space.end)
        for space in spaces(layout, size_bytes)
    ]
    if bootloader_offset:
        segments.append(Segment(Kind.RESERVED, "", "", 0, bootloader_offset))
    table = options.table_offset
    segments.append(Segment(Kind.BOOTLOADER, "", "", bootloader_offset, table))
    segments.append(Segment(Kind.TABLE, "", "", table, table + TABLE_SECTOR_BYTES))
    return FlashMap(layout.file, size_bytes, tuple(sorted(segments, key=lambda s: (s.offset, s.end))))


def _kind(partition: Partition, protected: set[str]) -> Kind:
    if partition.name in protected:
        return Kind.FACTORY
    if partition.is_nvs:
        return Kind.NVS
    return {APP: Kind.APP, DATA: Kind.DATA}.get(partition.type, Kind.OTHER)


def _detail(layout: Layout, partition: Partition) -> str:
    subtype = subtype_name(partition.type, partition.subtype, layout.options.keywords)
    flags = [flag for flag in ("encrypted", "readonly") if getattr(partition, flag)]
    return " ".join([f"{type_name(partition.type)}/{subtype}", *flags])


def hex_text(address: int, flash_size_bytes: int) -> str:
    """An address with as many digits as the last one of the flash, and at least six."""
    digits = max(6, len(f"{flash_size_bytes - 1:x}"))
    return f"0x{address:0{digits}x}"


def size_text(size_bytes: int) -> str:
    """A size for people, exact: in M when two decimals are enough for that, else in K or bytes."""
    if size_bytes >= 1 << 20 and size_bytes % (1 << 18) == 0:
        return f"{size_bytes / (1 << 20):g} M"
    return f"{size_bytes} B" if size_bytes % 1024 else f"{size_bytes // 1024} K"
