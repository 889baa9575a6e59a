from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fctry.errors import InputError
from fctry.nvs import Item, ItemType, decode, encode, format_csv, read_sheet
from fctry.nvs.csv import Sheet
from fctry.nvs.item import NUMBERS

TEXT = st.characters(exclude_categories=["Cs"], exclude_characters="\0\r")
NAMES = st.text(TEXT, min_size=1, max_size=15).filter(lambda name: len(name.encode()) <= 15)
STRINGS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
INTEGERS = [item_type for item_type in NUMBERS if item_type not in (ItemType.FLOAT, ItemType.DOUBLE)]
VALUES = st.one_of(
    st.sampled_from(INTEGERS).map(lambda item_type: (item_type, 100)),
    st.floats(width=32, allow_nan=False).map(lambda value: (ItemType.FLOAT, value)),
    st.floats(allow_nan=False).map(lambda value: (ItemType.DOUBLE, value)),
    STRINGS.map(lambda value: (ItemType.STR, value)),
    st.binary(max_size=100).map(lambda value: (ItemType.BLOB, value)),
)


def written_and_read(folder: Path, items: list[Item], namespaces: list[str] | None = None) -> Sheet:
    text, files = format_csv(items, namespaces or (), "device")
    (folder / "device.csv").write_text(text, newline="")
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return read_sheet(folder / "device.csv")


@settings(deadline=None)
@given(drawn=st.lists(st.tuples(NAMES, NAMES, VALUES), unique_by=lambda row: row[:2], max_size=8))
def test_written_csv_builds_the_same_items(
    tmp_path_factory: pytest.TempPathFactory,
    drawn: list[tuple[str, str, tuple[ItemType, float | str | bytes]]],
) -> None:
    items = [Item(namespace, key, *value) for namespace, key, value in drawn]
    assert list(written_and_read(tmp_path_factory.mktemp("csv"), items).items) == items


def test_image_rebuilt_from_its_csv_is_the_same(tmp_path: Path) -> None:
    items = [Item("b", "k", ItemType.BLOB, bytes(9000)), Item("d", "s", ItemType.STR, "two\nlines")]
    namespaces = ["a", "b", "c", "d", "e"]
    image = encode(items, 0x6000, namespaces=namespaces)
    sheet = written_and_read(tmp_path, decode(image), namespaces)
    assert sheet.namespaces == tuple(namespaces)
    assert encode(sheet.items, 0x6000, namespaces=sheet.namespaces) == image


def test_large_blob_goes_to_a_file(tmp_path: Path) -> None:
    items = [Item("n", "a", ItemType.BLOB, bytes(60_000)), Item("n", "b", ItemType.BLOB, bytes(60_001))]
    assert list(written_and_read(tmp_path, items).items) == items
    assert (tmp_path / "device-1.bin").read_bytes() == bytes(60_001)


def test_key_that_begins_with_a_hash_is_no_comment(tmp_path: Path) -> None:
    items = [Item("#n", "#k", ItemType.U8, 1)]
    assert list(written_and_read(tmp_path, items).items) == items


@pytest.mark.parametrize(
    "item",
    [
        Item("n", "a\rb", ItemType.U8, 1),
        Item("n", "\udcff", ItemType.U8, 1),
        Item("n", "k", ItemType.STR, "\udcff"),
    ],
)
def test_what_no_csv_can_hold_is_refused(item: Item) -> None:
    with pytest.raises(InputError, match=r"no CSV|UTF-8"):
        format_csv([item])
