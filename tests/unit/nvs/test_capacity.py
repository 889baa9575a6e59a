from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fctry.errors import CapacityError
from fctry.nvs import Item, ItemType, encode, measure
from fctry.nvs.reader import EntryState, read_pages

SIZES = st.integers(0, 3000)


def test_use_is_told_per_namespace() -> None:
    items = [
        Item("a", "u", ItemType.U16, 1),
        Item("a", "s", ItemType.STR, "x" * 40),
        Item("b", "b", ItemType.BLOB, bytes(33)),
    ]
    used = measure(items, 0x3000, namespaces=["a", "b", "c"])
    assert [(use.name, use.keys, use.entries, use.value_bytes) for use in used.namespaces] == [
        ("a", 2, 1 + 1 + 3, 2 + 41),
        ("b", 1, 1 + 3 + 1, 33),
        ("c", 0, 1, 0),
    ]
    assert (used.entries_used, used.entries_total, used.entries_lost, used.entries_free) == (11, 252, 0, 241)
    assert used.fits


def test_entries_lost_at_the_end_of_a_page_are_told() -> None:
    used = measure([Item("n", f"k{i}", ItemType.STR, "x" * 1900) for i in range(3)], 0x4000)
    assert used.entries_lost == 126 - (1 + 2 * 61)


@given(sizes=st.lists(SIZES, max_size=12), read_only=st.booleans(), is_string=st.booleans())
def test_smallest_partition_holds_it_and_a_smaller_one_does_not(
    sizes: list[int], read_only: bool, is_string: bool
) -> None:
    items = [
        Item("n", f"k{i}", ItemType.STR, "x" * size)
        if is_string
        else Item("n", f"k{i}", ItemType.BLOB, bytes(size))
        for i, size in enumerate(sizes)
    ]
    smallest = measure(items, 0x3000, read_only=read_only).smallest_size_bytes
    image = encode(items, smallest, read_only=read_only)
    used = measure(items, smallest, read_only=read_only)
    states = [state for page in read_pages(image) for state in page.states]
    assert used.fits
    assert used.entries_used == states.count(EntryState.WRITTEN)
    assert used.entries_used + used.entries_lost + used.entries_free == used.entries_total
    if smallest > (0x1000 if read_only else 0x3000):
        with pytest.raises(CapacityError):
            encode(items, smallest - 0x1000, read_only=read_only)
        assert not measure(items, smallest - 0x1000, read_only=read_only).fits


def test_too_much_says_which_partition_would_do() -> None:
    items = [Item("n", f"k{i}", ItemType.BLOB, bytes(4000)) for i in range(5)]
    with pytest.raises(CapacityError) as caught:
        encode(items, 0x3000)
    smallest = measure(items, 0x3000).smallest_size_bytes
    assert f"{smallest:#x}" in caught.value.hint
    assert encode(items, smallest)
