"""Where each item goes: the arithmetic of pages and entries, before a single byte is written.

Placement depends on the keys, the types and the sizes of the values, never on the values themselves. The order is that
of Espressif's generator, so that images come out byte-identical: a namespace's entry right before its first item, items
in the order given, blobs of version 2 cut where the page ends.

Source: ESP-IDF v5.5.5, components/nvs_flash/src/nvs_page.cpp (writeItem), nvs_storage.cpp (writeMultiPageBlob).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from fctry.errors import CapacityError, InputError
from fctry.nvs.format import (
    CHUNK_ANY,
    ENTRY_COUNT,
    ENTRY_SIZE_BYTES,
    INDEX_DATA,
    NAMESPACE_COUNT_MAX,
    NAMESPACE_NS_INDEX,
    PAGE_SIZE_BYTES,
    READ_WRITE_PAGES_MIN,
    V1_VALUE_SIZE_BYTES_MAX,
    DataType,
    entry_hash,
    span_of,
    text_of,
)
from fctry.nvs.item import Item, ItemType, pack_name
from fctry.nvs.refusals import Refusals

FIXED_DATA_PAD = b"\xff" * 7


class Slot(NamedTuple):
    """One entry, and behind it the entries of its data.

    `item` is the index of the item it is there for (-1: none), of whose value it stores the bytes `start` to
    `stop`. Entries that no value changes (namespaces, blob indices) carry their 8 bytes of data in `fixed` instead.
    """

    page: int
    entry: int
    ns_index: int
    type: DataType
    span: int
    chunk_index: int
    key: bytes
    item: int
    start: int = 0
    stop: int = 0
    fixed: bytes = b""


class Shape:
    """What many devices have in common: namespaces, keys, types, the partition.

    Raises InputError for names that NVS cannot hold, duplicate keys, too many namespaces, an impossible partition.
    """

    def __init__(
        self,
        items: Iterable[Item],
        size_bytes: int,
        *,
        version: int = 2,
        read_only: bool = False,
        namespaces: Iterable[str] = (),
    ) -> None:
        if version not in (1, 2):
            raise InputError(
                f"NVS format version {version}", hint="there are 1 and 2; firmware since v3.2 reads 2"
            )
        self.items = tuple(items)
        self.version = version
        self.size_bytes = size_bytes
        self.read_only = read_only
        self.pages_usable = pages_of(size_bytes, read_only) - (0 if read_only else 1)
        self.namespaces = _number_namespaces(namespaces, self.items)
        self.keys = _check_keys(self.items)

    def place(self, sizes: Sequence[int]) -> list[Slot]:
        """Give every item its entries. `sizes` are the bytes to store per item, in their order.

        Raises CapacityError naming the first item that does not fit, InputError for values too long for version 1
        and for keys that the firmware cannot tell apart.
        """
        slots = self.place_anyway(sizes)
        for slot in slots:
            if slot.page == self.pages_usable:
                raise self._too_much(slot, slots[-1].page + 1)
        _refuse_equal_hashes(self, slots)
        return slots

    def place_anyway(self, sizes: Sequence[int]) -> list[Slot]:
        """As `place`, in a partition without end."""
        placer = _Placer(self)
        for index, item in enumerate(self.items):
            placer.put(index, item, sizes[index])
        placer.put_namespaces(len(self.namespaces), -1)
        return placer.slots

    def size_for(self, pages: int) -> int:
        """Size in bytes of the smallest partition that holds this many pages of data."""
        if self.read_only:
            return pages * PAGE_SIZE_BYTES
        return max(pages + 1, READ_WRITE_PAGES_MIN) * PAGE_SIZE_BYTES

    def _too_much(self, slot: Slot, pages: int) -> CapacityError:
        what = f"key {self.items[slot.item].key!r}" if slot.item >= 0 else "the last namespace"
        usable = self.pages_usable * ENTRY_COUNT
        file, line = self.origin(slot)
        return CapacityError(
            f"{what} does not fit: a partition of {self.size_bytes:#x} bytes has {usable} entries for data",
            hint=f"store less, or make the partition {self.size_for(pages):#x} bytes large",
            file=file,
            line=line,
        )

    def origin(self, slot: Slot) -> tuple[str | Path | None, int | None]:
        """File and line of the item that a slot is there for, as far as they are known."""
        if slot.item < 0:
            return None, None
        return self.items[slot.item].file, self.items[slot.item].line


FLASH_BYTES_MAX = 128 << 20


def pages_of(size_bytes: int, read_only: bool) -> int:
    """How many pages a partition of this size has. Raises InputError for sizes that the firmware does not mount."""
    if size_bytes % PAGE_SIZE_BYTES or size_bytes <= 0:
        raise InputError(
            f"partition size {size_bytes:#x} is not a multiple of {PAGE_SIZE_BYTES:#x}",
            hint="NVS is made of pages of 4096 bytes",
        )
    if size_bytes > FLASH_BYTES_MAX:
        raise InputError(
            f"partition size {size_bytes:#x} is larger than any flash", hint="there are flashes up to 128 MB"
        )
    pages = size_bytes // PAGE_SIZE_BYTES
    if pages < READ_WRITE_PAGES_MIN and not read_only:
        raise InputError(
            f"partition size {size_bytes:#x} is too small for NVS that is written to",
            hint="make it 0x3000 or larger, or flag it readonly (firmware v5.5 and later mount that from 0x1000)",
        )
    return pages


def _number_namespaces(names: Iterable[str], items: Sequence[Item]) -> dict[str, tuple[int, bytes]]:
    """Namespace -> its number and its name as stored: the given ones first, then in order of appearance."""
    numbered: dict[str, tuple[int, bytes]] = {}
    sources = [(name, None, None) for name in names] + [
        (item.namespace, item.file, item.line) for item in items
    ]
    for name, file, line in sources:
        if name in numbered:
            continue
        if len(numbered) == NAMESPACE_COUNT_MAX:
            raise InputError(
                f"namespace {name!r} is number {NAMESPACE_COUNT_MAX + 1}",
                hint=f"NVS holds {NAMESPACE_COUNT_MAX} namespaces: put its keys into another one",
                file=file,
                line=line,
            )
        numbered[name] = (len(numbered) + 1, pack_name(name, "namespace", file=file, line=line))
    return numbered


def _check_keys(items: Sequence[Item]) -> list[bytes]:
    """The keys as stored, in the order of the items."""
    first: dict[tuple[str, str], Item] = {}
    refusals = Refusals()
    for item in items:
        earlier = first.setdefault((item.namespace, item.key), item)
        if earlier is not item:
            where = f" (first in line {earlier.line})" if earlier.line else ""
            with refusals.collected():
                raise item.refusal(
                    f"duplicate key {item.key!r} in namespace {item.namespace!r}{where}",
                    "remove or rename one of them",
                )
    refusals.tell()
    return [pack_name(item.key, "key", file=item.file, line=item.line) for item in items]


class _Placer:
    """The next free entry, moving on."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.slots: list[Slot] = []
        self.page = 0
        self.entry = 0
        self.names = list(shape.namespaces.values())
        self.names_put = 0

    def put_namespaces(self, last: int, index: int) -> None:
        """Write the entries of the namespaces up to number `last` that are not written yet, for item `index`."""
        for ns_index, name in self.names[self.names_put : last]:
            self._reserve()
            self._add(NAMESPACE_NS_INDEX, DataType.U8, name, index, fixed=bytes([ns_index]) + FIXED_DATA_PAD)
        self.names_put = max(self.names_put, last)

    def put(self, index: int, item: Item, size_bytes: int) -> None:
        """Give the item with this index its entries, and its namespace an entry if it has none yet."""
        ns_index, _ = self.shape.namespaces[item.namespace]
        self.put_namespaces(ns_index, index)
        key = self.shape.keys[index]
        if not item.type.is_variable_length:
            self._reserve()
            self._add(ns_index, DataType[item.type.name], key, index, 0, size_bytes)
        elif item.type is ItemType.BLOB and self.shape.version == 2:
            self._put_chunks(ns_index, key, index, size_bytes)
        else:
            if self.shape.version == 1 and size_bytes > V1_VALUE_SIZE_BYTES_MAX:
                raise item.refusal(
                    f"key {item.key!r}: {size_bytes} bytes; version 1 takes {V1_VALUE_SIZE_BYTES_MAX}",
                    "use version 2 of the format",
                )
            span = span_of(size_bytes)
            self._reserve_whole(span)
            data_type = DataType.SZ if item.type is ItemType.STR else DataType.BLOB
            self._add(ns_index, data_type, key, index, 0, size_bytes, span=span)

    def _put_chunks(self, ns_index: int, key: bytes, index: int, size_bytes: int) -> None:
        """A blob of version 2: as much as fits into the page, the rest into the next pages, then the index.

        Espressif's generator starts even on a page's last entry, with an empty chunk; the firmware reads that well.
        """
        self._reserve()
        start = chunk_count = 0
        while True:
            tailroom = (ENTRY_COUNT - self.entry - 1) * ENTRY_SIZE_BYTES
            stop = min(size_bytes, start + tailroom)
            span = span_of(stop - start)
            self._add(
                ns_index, DataType.BLOB_DATA, key, index, start, stop, span=span, chunk_index=chunk_count
            )
            chunk_count += 1
            start = stop
            self._reserve()
            if start == size_bytes:
                break
        fixed = INDEX_DATA.pack(size_bytes, chunk_count, 0, 0xFFFF)
        self._add(ns_index, DataType.BLOB_IDX, key, index, fixed=fixed)

    def _reserve_whole(self, span: int) -> None:
        """Room for a value that must stay in one page.

        One that would fill the page to its last entry goes to the next page, as with Espressif's generator, unless the
        page is empty and it needs all of it (which is where the generator gives up).
        """
        if self.entry and self.entry + span >= ENTRY_COUNT:
            self.entry = ENTRY_COUNT
        self._reserve()

    def _reserve(self) -> None:
        """Room for one entry at least: turns the page when it is full."""
        if self.entry == ENTRY_COUNT:
            self.page += 1
            self.entry = 0

    def _add(
        self,
        ns_index: int,
        data_type: DataType,
        key: bytes,
        item: int,
        start: int = 0,
        stop: int = 0,
        *,
        span: int = 1,
        chunk_index: int = CHUNK_ANY,
        fixed: bytes = b"",
    ) -> None:
        self.slots.append(
            Slot(self.page, self.entry, ns_index, data_type, span, chunk_index, key, item, start, stop, fixed)
        )
        self.entry += span


def _refuse_equal_hashes(shape: Shape, slots: Sequence[Slot]) -> None:
    """The firmware takes two entries of its active page for duplicates when their 24-bit hashes are equal.

    It then erases the first of them as it mounts the partition. The active page is the last one.
    Source: ESP-IDF v5.5.5, components/nvs_flash/src/nvs_page.cpp, Page::mLoadEntryTable.
    """
    seen: dict[int, Slot] = {}
    for slot in slots:
        if slot.page != slots[-1].page:
            continue
        earlier = seen.setdefault(entry_hash(slot.ns_index, slot.key, slot.chunk_index), slot)
        if earlier is not slot:
            file, line = shape.origin(slot)
            one, other = (text_of(each.key) for each in (earlier, slot))
            raise InputError(
                f"the firmware cannot tell {one!r} and {other!r} apart: their hashes are equal",
                hint="rename one of them",
                file=file,
                line=line,
            )
