"""Byte-identity with Espressif's generator."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.conformance.nvs_oracle import oracle_encode
from tests.conformance.nvs_strategies import INTEGERS, item_lists

from fctry.errors import InputError
from fctry.nvs import Item, ItemType, decode, encode
from fctry.nvs.item import range_of

SIZE = 0x20000
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]


@pytest.mark.parametrize("version", [1, 2])
@settings(max_examples=300, suppress_health_check=SLOW, deadline=None)
@given(data=st.data())
def test_image_is_the_generators_whatever_the_items(version: int, data: st.DataObject) -> None:
    items = data.draw(item_lists(version))
    image = encode(items, SIZE, version=version)
    assert image == oracle_encode(items, SIZE, version=version)
    assert decode(image) == items


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("fill", range(100, 127))
def test_image_is_the_generators_when_a_value_meets_the_end_of_the_page(version: int, fill: int) -> None:
    for item_type, sizes in (
        (ItemType.STR, range(0, 1984, 97)),
        (ItemType.BLOB, (0, 1, 31, 32, 33, 64, 1984)),
    ):
        for size in sizes:
            value = "v" * size if item_type is ItemType.STR else b"v" * size
            items = [Item("n", f"k{i}", ItemType.U8, i) for i in range(fill - 1)]
            items += [Item("n", "value", item_type, value), Item("n", "after", ItemType.U8, 1)]
            image = encode(items, SIZE, version=version)
            assert image == oracle_encode(items, SIZE, version=version), (item_type, size)
            assert decode(image) == items


@pytest.mark.parametrize("item_type", INTEGERS)
def test_image_is_the_generators_at_the_limits_of_integers(item_type: ItemType) -> None:
    items = [Item("n", f"k{value}"[:15], item_type, value) for value in range_of(item_type)]
    assert encode(items, 0x6000) == oracle_encode(items, 0x6000)


@pytest.mark.parametrize("size_bytes", [0x3000, 0x4000, 0x6000, 0x10000])
def test_image_is_the_generators_whatever_the_partition(size_bytes: int) -> None:
    items = [Item("n", "k", ItemType.STR, "v")]
    assert encode(items, size_bytes) == oracle_encode(items, size_bytes)


def test_namespaces_without_items_are_the_generators() -> None:
    items = [Item("b", "k", ItemType.U8, 1)]
    image = encode(items, 0x3000, namespaces=["a", "b", "c"])
    assert (
        image[:64]
        == oracle_encode(items, 0x3000, namespaces=["a", "b", "c"])[:64]
        != encode(items, 0x3000)[:64]
    )


def test_capacity_ends_where_the_generators_does() -> None:
    for count in (252, 251):
        items = [Item("n", f"k{i}", ItemType.U8, i % 256) for i in range(count)]
        if count == 252:
            with pytest.raises(InputError):
                encode(items, 0x3000)
        else:
            assert encode(items, 0x3000) == oracle_encode(items, 0x3000)
