"""Labels, read back by a QR reader that is not ours: zxing, from what resvg and pdfium make of our files."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from itertools import islice

import pypdfium2
import pytest
import resvg_py
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fctry.errors import CapacityError, InputError
from fctry.identity.label import LabelTemplate, Sheet, draw, sheet_pdf, svg, zpl

TEMPLATE = LabelTemplate(lines=("Lamp 2", "SN {serial_number}", "{mac_addr}"), qr="{serial_number}")
DEVICE = {"serial_number": "164589345735", "mac_addr": "0A:0B:0C:0D:0E:0F"}
HOMEKIT = LabelTemplate(lines=("Lamp 2",), qr="{payload}", code="{pin}")


def read_qr(image: Image.Image) -> list[str]:
    return [found.text for found in zxingcpp.read_barcodes(image)]


def rasterized(document: str) -> Image.Image:
    return Image.open(
        io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=document, dpi=96, width=800)))
    ).convert("L")


def printed(document: str, *, width: int, height: int) -> Image.Image:
    """The graphic field of a ZPL format on white paper, as a printer has it."""
    found = re.search(r"\^FO(\d+),(\d+)\^GFA,(\d+),\3,(\d+),([0-9A-F]+)\^FS", document)
    assert found is not None
    x, y, total, row_bytes = map(int, found.groups()[:4])
    bits = bytes(byte ^ 0xFF for byte in bytes.fromhex(found[5]))
    assert len(bits) == total
    page = Image.new("L", (width, height), 255)
    page.paste(Image.frombytes("1", (row_bytes * 8, total // row_bytes), bits).convert("L"), (x, y))
    return page


def test_qr_code_is_read_from_svg() -> None:
    assert read_qr(rasterized(svg(draw(TEMPLATE.fill(DEVICE), TEMPLATE)))) == ["164589345735"]


@pytest.mark.parametrize("text", ["é2", "ÄÖÜ-0001", "SN ²", "ß", "☃", "数字12"])
def test_qr_code_is_read_in_any_language(text: str) -> None:
    assert read_qr(rasterized(svg(draw(TEMPLATE.fill({**DEVICE, "serial_number": text}), TEMPLATE)))) == [
        text
    ]


@pytest.mark.parametrize("dpi", [203, 300, 600])
def test_qr_code_is_read_from_zpl(dpi: int) -> None:
    document = zpl(draw(TEMPLATE.fill(DEVICE), TEMPLATE), dpi)
    assert read_qr(printed(document, width=50 * dpi // 25, height=25 * dpi // 25)) == ["164589345735"]
    assert "^FDSN 164589345735^FS" in document


def test_qr_codes_are_read_from_a_sheet_in_order() -> None:
    labels = [draw(TEMPLATE.fill({**DEVICE, "serial_number": f"SN{n}"}), TEMPLATE) for n in range(9)]
    document = pypdfium2.PdfDocument(sheet_pdf(labels, Sheet(columns=2, rows=4, skipped=1)))
    pages = [read_qr(page.render(scale=4).to_pil()) for page in document]
    assert [sorted(page) for page in pages] == [[f"SN{n}" for n in range(7)], ["SN7", "SN8"]]


def test_homekit_code_stands_in_two_groups_beside_its_payload() -> None:
    label = HOMEKIT.fill({"payload": "X-HM://0023ISYWYABCD", "pin": "518-08-582"})
    drawing = draw(label, HOMEKIT)
    assert [text.text for text in drawing.texts] == ["Lamp 2", "5180", "8582"]
    assert read_qr(rasterized(svg(drawing))) == ["X-HM://0023ISYWYABCD"]
    assert "5180" not in repr(label)


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ("34970112332", ["3497-011-2332"]),
        ("641295075300001000018", ["6412-950-7530", "0001-000-018"]),
    ],
)
def test_manual_code_of_matter_stands_in_its_groups(code: str, lines: list[str]) -> None:
    label = HOMEKIT.fill({"payload": "MT:Y.K9042C00KA0648G00", "pin": code})
    drawing = draw(label, HOMEKIT)
    assert [text.text for text in drawing.texts] == ["Lamp 2", *lines]
    assert read_qr(rasterized(svg(drawing))) == ["MT:Y.K9042C00KA0648G00"]
    assert "3497" not in repr(label)


def test_text_is_inside_of_the_label_and_right_of_the_qr_code() -> None:
    drawing = draw(TEMPLATE.fill(DEVICE), TEMPLATE)
    right_of_qr = drawing.qr_x_mm + drawing.module_mm * (1 + max(column for column, _ in drawing.modules))
    for text in drawing.texts:
        assert text.x_mm > right_of_qr
        assert text.x_mm + 0.6 * text.size_mm * len(text.text) <= drawing.width_mm
        assert text.size_mm <= text.y_mm <= drawing.height_mm


@settings(max_examples=60, deadline=None)
@given(
    st.text(
        st.characters(min_codepoint=0x20, max_codepoint=0xFFFF, exclude_categories=("C", "Z")),
        min_size=1,
        max_size=20,
    )
)
def test_svg_and_zpl_hold_any_printable_text(value: str) -> None:
    template = LabelTemplate(lines=("{name}",), qr="1", width_mm=80)
    drawing = draw(template.fill({"name": value}), template)
    text = ET.fromstring(svg(drawing)).find("{http://www.w3.org/2000/svg}text")
    assert text is not None
    assert text.text == value
    raw = zpl(drawing).split("^FH_^FD")[1].split("^FS")[0]
    assert re.sub(r"(?:_[0-9A-F]{2})+", lambda m: bytes.fromhex(m[0].replace("_", "")).decode(), raw) == value


@pytest.mark.parametrize(
    ("template", "values", "error", "hint"),
    [
        (TEMPLATE, {"serial": "1", "mac_addr": "2"}, InputError, "serial"),
        (TEMPLATE, {**DEVICE, "mac_addr": "a\nb"}, InputError, "line ends"),
        (HOMEKIT, {"payload": "1", "pin": "1234"}, InputError, "setup code"),
    ],
)
def test_what_no_label_can_say_is_refused(
    template: LabelTemplate, values: dict[str, str], error: type[Exception], hint: str
) -> None:
    with pytest.raises(error) as caught:
        template.fill(values)
    assert hint in caught.value.hint  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "template",
    [
        LabelTemplate(lines=(), qr="x" * 300, height_mm=10),
        LabelTemplate(lines=("a long line of text that nobody could read",), qr="1", width_mm=30),
    ],
)
def test_label_that_is_too_small_is_refused(template: LabelTemplate) -> None:
    with pytest.raises(CapacityError):
        draw(template.fill({}), template)


def test_label_outside_of_the_page_is_refused() -> None:
    drawing = draw(TEMPLATE.fill(DEVICE), TEMPLATE)
    with pytest.raises(InputError, match="leave the page"):
        sheet_pdf(islice([drawing] * 5, 5), Sheet(columns=5, rows=2))
