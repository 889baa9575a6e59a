"""Any name makes a well-formed picture and an output that can be written."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fctry.nvs import Item, ItemType, encode
from fctry.nvs.contents import read
from fctry.nvs.picture import svg
from fctry.partitions.layout import parse_layout
from fctry.partitions.picture.flashmap import flash_map
from fctry.partitions.picture.svg import draw
from fctry.printable import printable, xml_text

NAMES = ["\ud800", "\x00", "\x1b[2J", "\uffff", "<&>\u202e"]


@given(st.text() | st.text(st.characters(categories=["Cs", "Cc", "Cn", "Cf"])))
def test_any_text_is_shown_and_is_content_of_xml(text: str) -> None:
    assert ET.fromstring(f"<t>{xml_text(text)}</t>").text == (printable(text) or None)
    assert printable(text).isprintable()


@pytest.mark.parametrize("name", NAMES)
def test_pictures_are_well_formed_for_any_name(name: str) -> None:
    layout = parse_layout(f'"a{name}", data, nvs, 0x9000, 0x6000\n', file=f"{name}.csv")
    drawn = ET.fromstring(draw(flash_map(layout, bootloader_offset=0x1000)))
    assert printable(f"a{name}") in "".join(drawn.itertext())
    image = bytearray(encode([Item("n", "keys", ItemType.U8, 1)], 0x3000))
    image[0x48:0x4C] = name.encode("utf-8", "surrogatepass")[:4].ljust(4, b"x")
    ET.fromstring(svg(read(bytes(image)).pages, name))
