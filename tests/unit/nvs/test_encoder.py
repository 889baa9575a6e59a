from __future__ import annotations

from pathlib import Path

import pytest

from fctry.errors import CapacityError, InputError
from fctry.nvs import ImageTemplate, Item, ItemType, decode, encode, read_csv

U8 = ItemType.U8


def numbers(count: int, namespace: str = "n") -> list[Item]:
    return [Item(namespace, f"k{i}", U8, i % 256, "device.csv", i + 3) for i in range(count)]


def test_article_image_is_the_golden_one(article_csv: Path, article_image: bytes) -> None:
    assert encode(read_csv(article_csv), 0x6000) == article_image


def test_prepared_layout_makes_what_encode_makes_for_values_of_any_size() -> None:
    items = [
        Item("n", "s", ItemType.STR, "a"),
        Item("n", "b", ItemType.BLOB, b""),
        Item("n", "u", ItemType.U32, 1),
    ]
    layout = ImageTemplate(items, 0x4000)
    for size in (0, 1, 31, 32, 100, 3000, 1, 0):
        values = ["s" * size, b"b" * size, size]
        changed = [Item("n", item.key, item.type, value) for item, value in zip(items, values, strict=True)]
        assert layout.encode(values) == encode(changed, 0x4000)


def test_prepared_layout_forgets_plans_rather_than_grow() -> None:
    layout = ImageTemplate([Item("n", "s", ItemType.STR, "")], 0x3000)
    for size in range(200):
        assert decode(layout.encode(["s" * size]))[0].value == "s" * size
    assert len(layout._plans) <= 64


@pytest.mark.parametrize("values", [[], [1, 2]])
def test_prepared_layout_refuses_another_number_of_values(values: list[int]) -> None:
    with pytest.raises(InputError, match="values for 1 items"):
        ImageTemplate(numbers(1), 0x3000).encode(values)


@pytest.mark.parametrize(
    ("item_type", "value", "message"),
    [
        (U8, 256, "number out of range for u8"),
        (U8, "1", "value is not an integer"),
        (U8, 1.0, "value is not an integer"),
        (ItemType.FLOAT, 1e39, "number out of range for float"),
        (ItemType.DOUBLE, "x", "value is not a float"),
        (ItemType.STR, b"x", "value is not a str"),
        (ItemType.STR, 1, "value is not a str"),
        (ItemType.STR, "a\0b", "string with a NUL in it"),
        (ItemType.STR, "\ud800", "string that UTF-8 cannot hold"),
        (ItemType.STR, "x" * 4000, "4001 bytes; str takes 4000"),
        (ItemType.BLOB, "x", "value is not bytes"),
        (ItemType.BLOB, bytes(508_001), "508001 bytes; blob takes 508000"),
    ],
)
def test_value_that_the_type_cannot_hold_is_refused(item_type: ItemType, value: object, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        encode([Item("n", "k", item_type, value, "device.csv", 3)], 0x100000)  # type: ignore[arg-type]
    assert caught.value.where == "device.csv:3"
    assert caught.value.hint


def test_string_of_4000_bytes_takes_a_page_of_its_own() -> None:
    items = [Item("n", "a", U8, 1), Item("n", "s", ItemType.STR, "x" * 3999), Item("n", "z", U8, 2)]
    assert decode(encode(items, 0x4000)) == items


def test_value_over_1984_bytes_is_refused_in_version_1() -> None:
    for item_type, value in ((ItemType.STR, "x" * 1984), (ItemType.BLOB, bytes(1985))):
        with pytest.raises(InputError, match="1985 bytes; version 1 takes 1984"):
            encode([Item("n", "k", item_type, value)], 0x4000, version=1)


def test_more_entries_than_fit_are_refused_at_the_first_that_does_not(tmp_path: Path) -> None:
    assert decode(encode(numbers(251), 0x3000)) == numbers(251)
    with pytest.raises(CapacityError) as caught:
        encode(numbers(260), 0x3000)
    assert caught.value.where == "device.csv:254"
    assert caught.value.hint


def test_read_only_partition_uses_its_last_page_too() -> None:
    assert len(encode(numbers(125), 0x1000, read_only=True)) == 0x1000
    assert decode(encode(numbers(377), 0x3000, read_only=True)) == numbers(377)
    with pytest.raises(CapacityError):
        encode(numbers(126), 0x1000, read_only=True)


@pytest.mark.parametrize("size_bytes", [0, -4096, 0x1001, 0x1000, 0x2000])
def test_partition_that_the_firmware_does_not_mount_is_refused(size_bytes: int) -> None:
    with pytest.raises(InputError, match="partition size"):
        encode(numbers(1), size_bytes)


def test_namespace_255_is_refused() -> None:
    items = [Item(f"n{i}", "k", U8, 1, "device.csv", i) for i in range(1, 256)]
    assert len(decode(encode(items[:254], 0x10000))) == 254
    with pytest.raises(InputError, match=r"device\.csv:255: namespace 'n255' is number 255"):
        encode(items, 0x10000)


def test_duplicate_key_is_refused_even_with_another_type() -> None:
    items = [Item("n", "k", U8, 1, "a.csv", 3), Item("n", "k", ItemType.STR, "x", "a.csv", 9)]
    with pytest.raises(InputError, match=r"a\.csv:9: duplicate key 'k' in namespace 'n' \(first in line 3\)"):
        encode(items, 0x3000)


def test_same_key_in_two_namespaces_is_two_keys() -> None:
    items = [Item("a", "k", U8, 1), Item("b", "k", U8, 2), Item("a", "l", U8, 3)]
    assert decode(encode(items, 0x3000)) == items


@pytest.mark.parametrize("name", ["", "x" * 16, "é" * 8, "a\0b", "\ud800"])
def test_name_that_nvs_cannot_hold_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="key"):
        encode([Item("n", name, U8, 1)], 0x3000)
    with pytest.raises(InputError, match="namespace"):
        encode([Item(name, "k", U8, 1)], 0x3000)


def test_unknown_version_is_refused() -> None:
    with pytest.raises(InputError, match="version 3"):
        encode(numbers(1), 0x3000, version=3)


def test_keys_of_equal_hash_are_refused_only_where_the_firmware_compares_hashes() -> None:
    """In the active page, which is the last; see `checker`."""
    pair = [Item("n", "key33", U8, 1), Item("n", "key109932", U8, 2, "device.csv", 9)]
    with pytest.raises(
        InputError, match=r"device\.csv:9: the firmware cannot tell 'key33' and 'key109932' apart"
    ):
        encode(pair, 0x4000)
    assert decode(encode([*pair, *numbers(125)], 0x4000)) == [*pair, *numbers(125)]


def test_namespaces_of_equal_hash_are_refused_without_any_item() -> None:
    with pytest.raises(InputError, match="apart"):
        encode([], 0x3000, namespaces=["key33", "key109932"])


def test_partition_that_no_flash_holds_is_refused_before_it_is_made() -> None:
    with pytest.raises(InputError, match="larger than any flash"):
        encode([], 0xFFFFF000)
