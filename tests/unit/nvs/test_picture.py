from __future__ import annotations

from xml.etree import ElementTree

from fctry.nvs import Item, ItemType, encode
from fctry.nvs.format import DataType, EntryState, PageState
from fctry.nvs.picture import BAD, DATA, ERASED, FREE, ITEM, NAMESPACE, cells, headlines, svg
from fctry.nvs.reader import read_pages
from tests.unit.nvs.forge import FREE_PAGE, entry, namespace, page, string, u8

SVG = "{http://www.w3.org/2000/svg}"


def kinds(data: bytes) -> list[str]:
    drawn = cells(read_pages(data)[0])
    assert len(drawn) == 126
    return [cell.kind for cell in drawn]


def test_each_entry_is_drawn_by_what_it_holds() -> None:
    erased = entry(1, DataType.U8, "old", b"\1", state=EntryState.ERASED)
    drawn = kinds(page(namespace("n"), u8("k"), string("s", b"x" * 33 + b"\0"), erased, u8("l")))
    assert drawn[:8] == [NAMESPACE, ITEM, ITEM, DATA, DATA, ERASED, ITEM, FREE]


def test_damaged_entries_stand_out() -> None:
    image = bytearray(page(namespace("n"), string("s", b"text\0"), u8("k")))
    image[64 + 2 * 32] ^= 1
    assert kinds(bytes(image))[:5] == [NAMESPACE, BAD, BAD, ITEM, FREE]
    image[64 + 32 + 8] ^= 1
    assert kinds(bytes(image))[:5] == [NAMESPACE, BAD, BAD, ITEM, FREE]


def test_keys_label_the_entry_where_they_begin() -> None:
    labels = [
        cell.label for cell in cells(read_pages(page(namespace("n"), string("s", b"text\0"), u8("k")))[0])
    ]
    assert labels[:5] == ["n", "s", "", "k", ""]


def test_headlines_tell_state_and_use_and_free_pages_together() -> None:
    erased = entry(1, DataType.U8, "k", b"\1", state=EntryState.ERASED)
    full = page(namespace("n"), erased, state=PageState.FULL, sequence=3)
    pages = read_pages(full + page(sequence=4) + FREE_PAGE + bytes(4096) + FREE_PAGE * 2)
    assert list(headlines(pages)) == [
        ("page 0: full, sequence 3, 1 of 126 entries used, 1 erased", pages[0]),
        ("page 1: active, sequence 4, 0 of 126 entries used", pages[1]),
        ("page 2: free", None),
        ("page 3: corrupt", None),
        ("pages 4 to 5: free", None),
    ]


def test_svg_is_well_formed_whatever_the_keys_and_tells_no_values() -> None:
    items = [Item("<n>", '"&\x01', ItemType.STR, "secret"), Item("<n>", "k\n", ItemType.U8, 201)]
    text = svg(read_pages(encode(items, 0x3000)), "<device> & co")
    root = ElementTree.fromstring(text)
    labels = [element.text for element in root.iter(f"{SVG}text")]
    assert "<device> & co" in labels
    assert {"<n>", '"&·', "k·"} <= set(labels)
    assert len(root.findall(f"{SVG}rect")) == 1 + 126 + 6
    assert "secret" not in text
