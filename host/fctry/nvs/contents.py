"""What the firmware finds in a partition: namespaces, keys, blobs and their chunks. `values` reads them.

Source: ESP-IDF v5.5.5, components/nvs_flash/src/nvs_storage.cpp (init, readItem, readMultiPageBlob),
src/nvs_pagemanager.cpp (load).
"""

from __future__ import annotations

from typing import NamedTuple

from fctry.nvs.format import (
    CHUNK_ANY,
    NAMESPACE_NS_INDEX,
    VARIABLE_DATA,
    VERSION_OFFSETS,
    DataType,
    PageState,
)
from fctry.nvs.reader import Entry, Page, read_entries, read_pages


class Blob(NamedTuple):
    """A blob of version 2: its index, and all chunks of its version that are there, by chunk_index."""

    entry: Entry
    chunks: tuple[Entry, ...]

    @property
    def is_whole(self) -> bool:
        """Whether the firmware keeps it as it mounts the partition, and finds each chunk when it reads."""
        size_bytes, chunk_count, start = self.entry.blob_index
        expected = list(range(start, start + chunk_count))
        return [chunk.chunk_index for chunk in self.chunks] == expected and size_bytes == sum(
            map(stored_size, self.chunks)
        )


class Contents:
    """The contents of a partition.

    `pages` are in the order of the flash; everything else is in the order in which it was written, by the sequence
    numbers of the pages. `entries` has the faulty ones too. `namespaces` is number -> name; `names` are their
    entries. `keys` and `chunks` have the entries by namespace and key, and by chunk_index too; more than one means
    duplicates.
    """

    def __init__(self, pages: list[Page]) -> None:
        self.pages = pages
        self.entries = [entry for page in _in_order(pages) for entry in read_entries(page)]
        self.names: list[Entry] = []
        self.keys: dict[tuple[int, bytes], list[Entry]] = {}
        self.chunks: dict[tuple[int, bytes, int], list[Entry]] = {}
        for entry in self.entries:
            if entry.fault not in ("", "data"):
                continue
            if entry.ns_index == NAMESPACE_NS_INDEX:
                self.names.append(entry)
            elif entry.type == DataType.BLOB_DATA:
                self.chunks.setdefault((*entry.id, entry.chunk_index), []).append(entry)
            else:
                self.keys.setdefault(entry.id, []).append(entry)
        self.namespaces: dict[int, str] = {}
        for entry in self.names:
            if entry.type == DataType.U8:
                self.namespaces.setdefault(entry.data[0], entry.key)

    def blob(self, entry: Entry) -> Blob:
        """The blob of a BLOB_IDX."""
        _, _, start = entry.blob_index
        end = VERSION_OFFSETS[1] if start < VERSION_OFFSETS[1] else CHUNK_ANY
        namespace, name = entry.id
        family = [
            chunk for number in range(start, end) for chunk in self.chunks.get((namespace, name, number), ())
        ]
        return Blob(entry, tuple(family))

    def valid(self, duplicates: list[Entry]) -> Entry:
        """The one that counts: the newest within the active page or as the last item of all, else the oldest."""
        newest = duplicates[-1]
        is_last = newest is self.entries[-1]
        is_active = self.pages[newest.page].state is PageState.ACTIVE
        if is_last or (is_active and len(duplicates) > 1 and duplicates[-2].page == newest.page):
            return newest
        return duplicates[0]


def read(image: bytes) -> Contents:
    """The contents of an image, or of a dump of a device's partition. Raises FormatError for a size that is none."""
    return Contents(read_pages(image))


def stored_size(entry: Entry) -> int:
    """Bytes of data of an entry with variable length."""
    return int(VARIABLE_DATA.unpack(entry.data)[0])


def _in_order(pages: list[Page]) -> list[Page]:
    """The pages that are in use, oldest first.

    When the power went while a page was being freed, its items are partly copied to the newest page; the firmware
    starts that copy again, so the newest page does not count.
    """
    loaded = sorted((page for page in pages if page.is_loaded), key=lambda page: page.sequence)
    if any(page.state is PageState.FREEING for page in loaded) and loaded[-1].state is PageState.ACTIVE:
        loaded.pop()
    return loaded
