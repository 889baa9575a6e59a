"""Reading a partition that a device has written to: what counts, what is old, what is left of the erased."""

from __future__ import annotations

from fctry.nvs.contents import read
from fctry.nvs.format import DataType, EntryState, PageState
from fctry.nvs.item import Item, ItemType, Value
from fctry.nvs.values import read_erased_items, read_items
from tests.unit.nvs.forge import blob_index, chunk, entry, long_value, namespace, page, partition, string, u8

ERASED = EntryState.ERASED


def values_of(image: bytes) -> dict[str, Value]:
    return {item.key: item.value for item, _ in read_items(read(image))}


def test_rewritten_values_count_not_the_erased_ones() -> None:
    old = entry(1, DataType.U8, "k", b"\1", state=ERASED)
    assert values_of(partition(page(namespace("n"), old, u8("k", 2)))) == {"k": 2}


def test_pages_count_in_the_order_of_their_sequence_numbers() -> None:
    newer = page(u8("b", 2), sequence=7)
    older = page(namespace("n"), u8("a", 1), state=PageState.FULL, sequence=3)
    assert [item.key for item, _ in read_items(read(partition(newer, older)))] == ["a", "b"]


def test_blob_of_the_second_version_is_put_together() -> None:
    full = page(namespace("n"), chunk("b", b"x" * 3968, 0x80), state=PageState.FULL)
    image = partition(full, page(chunk("b", b"yz", 0x81), blob_index("b", 3970, 2, 0x80), sequence=1))
    assert values_of(image) == {"b": b"x" * 3968 + b"yz"}


def test_damaged_values_are_left_out_and_the_others_read() -> None:
    damaged_string = (string("s", b"text\0")[0].replace(b"text", b"test"), EntryState.WRITTEN)
    lost = u8("l", 1, chunk_index=4)
    nameless = u8("m", 1, ns_index=9)
    torn = (chunk("b", b"one", 0), blob_index("b", 6, 2))
    assert values_of(partition(page(namespace("n"), damaged_string, lost, nameless, *torn, u8("k", 5)))) == {
        "k": 5
    }


def test_value_written_last_counts_when_the_power_went_before_the_old_one_was_erased() -> None:
    old = page(namespace("n"), u8("k", 1), u8("l", 1), state=PageState.FULL)
    assert values_of(partition(old, page(u8("x"), u8("k", 2), sequence=1)))["k"] == 2
    assert values_of(partition(old, page(u8("k", 2), u8("x"), sequence=1)))["k"] == 1
    assert values_of(partition(page(namespace("n"), u8("k", 1), u8("k", 2), u8("l"))))["k"] == 2


def test_page_being_freed_counts_not_its_unfinished_copy() -> None:
    freeing = page(namespace("n"), u8("a", 1), u8("b", 2), state=PageState.FREEING)
    assert values_of(partition(freeing, page(namespace("n"), u8("a", 9), sequence=1))) == {"a": 1, "b": 2}


def test_string_that_is_not_utf8_keeps_its_bytes() -> None:
    (text,) = values_of(partition(page(namespace("n"), string("s", b"\xe4\0")))).values()
    assert str(text).encode(errors="surrogateescape") == b"\xe4"


def test_erased_values_are_read_as_long_as_they_are_there() -> None:
    image = partition(
        page(
            namespace("n"),
            entry(1, DataType.U8, "k", b"\1", state=ERASED),
            long_value(DataType.SZ, "s", b"old\0", state=ERASED),
            chunk("b", b"part", 0, state=ERASED),
            (bytes(32), ERASED),
            entry(7, DataType.U8, "gone", b"\3", state=ERASED),
        )
    )
    assert values_of(image) == {}
    assert [item for item, _ in read_erased_items(read(image))] == [
        Item("n", "k", ItemType.U8, 1),
        Item("n", "s", ItemType.STR, "old"),
        Item("n", "b", ItemType.BLOB, b"part"),
        Item("#7", "gone", ItemType.U8, 3),
    ]
