"""Any bytes at all: no exception but the project's own, and an answer in time."""

from __future__ import annotations

import tracemalloc
from contextlib import suppress
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fctry.errors import FctryError
from fctry.nvs import Item, ItemType, Keys, check, decode, decrypt, diff, encode, format_csv
from fctry.nvs.contents import read
from fctry.nvs.format import ENTRY_HEADER, INDEX_DATA, DataType, entry_crc
from fctry.nvs.picture import svg
from fctry.nvs.reader import read_pages
from fctry.nvs.values import read_erased_items, read_items
from tests.unit.nvs.forge import blob_index, chunk, namespace, page, partition

ITEMS = [
    Item("n", "number", ItemType.U32, 7),
    Item("n", "text", ItemType.STR, "text" * 20),
    Item("m", "blob", ItemType.BLOB, bytes(5000)),
]
IMAGE = encode(ITEMS, 0x4000)


def survives(image: bytes) -> None:
    """Everything that reads, on these bytes."""
    check(image)
    check(image, read_only=True, is_decrypted=True)
    try:
        contents = read(image)
    except FctryError:
        return
    items = [item for item, _ in read_items(contents)]
    read_erased_items(contents)
    diff(items, ITEMS)
    assert svg(contents.pages, "damaged").endswith("</svg>\n")
    decrypt(image, Keys(b"a" * 32, b"b" * 32))
    for reader in (lambda: decode(image), lambda: format_csv(items, contents.namespaces.values(), "x")):
        with suppress(FctryError):
            reader()


@given(image=st.binary(max_size=300))
def test_bytes_of_any_number_are_survived(image: bytes) -> None:
    survives(image)


@settings(max_examples=60, deadline=None)
@given(pieces=st.lists(st.tuples(st.integers(0, 0x3FFF), st.binary(max_size=64)), max_size=6))
def test_overwritten_bytes_are_survived(pieces: list[tuple[int, bytes]]) -> None:
    image = bytearray(IMAGE)
    for offset, data in pieces:
        image[offset : offset + len(data)] = data
    survives(bytes(image[:0x4000]))


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_entries_of_nonsense_with_right_crcs_are_survived(seed: int) -> None:
    """Past the crcs, where the interesting mistakes are."""
    random = Random(seed)
    image = bytearray(IMAGE)
    for _ in range(random.randint(1, 8)):
        offset = (
            random.randrange(4) * 4096 + 64 + random.choice([0, 1, 2, 5, 6, 7, random.randrange(126)]) * 32
        )
        head, _, key, data = ENTRY_HEADER.unpack_from(image, offset)
        types = [*map(int, DataType), random.randrange(256)]
        numbers = [0, 1, 2, 126, 127, 128, 254, 255]
        head = bytes([random.choice([0, 1, 2, 255]), random.choice(types), *random.choices(numbers, k=2)])
        key = random.choice([key, b"blob".ljust(16, b"\0"), b"\xff" * 16, bytes(16)])
        data = random.choice([data, random.randbytes(8), INDEX_DATA.pack(5000, 2, 0x80, 0)])
        ENTRY_HEADER.pack_into(image, offset, head, entry_crc(head, key, data), key, data)
        states = random.randrange(4) * 4096 + 32 + random.randrange(32)
        image[states] = random.choice([0xAA, 0xFF, 0x00, random.randrange(256)])
    survives(bytes(image))


@pytest.mark.parametrize("fill", [b"\x00", b"\xff", b"\xaa", b"\xfe\xff\xff\xff"])
def test_partition_filled_with_one_pattern_is_survived(fill: bytes) -> None:
    survives((fill * 0x4000)[:0x4000])


def test_memory_stays_in_proportion_when_one_blob_is_claimed_over_and_over() -> None:
    """Each index claims the same large chunks: read once each, they would make 2 MB of every 32 bytes."""
    pages = [page(namespace("n"), chunk("b", bytes(3968), 0))]
    pages += [page(*[blob_index("b", 3968, 1)] * 126, sequence=number) for number in range(1, 15)]
    image = partition(*pages, pages_total=16)
    tracemalloc.start()
    try:
        read_items(read(image))
        check(image)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 60 * len(image)


def test_pages_are_read_whatever_their_header() -> None:
    assert [one.number for one in read_pages(bytes(0x2000))] == [0, 1]
