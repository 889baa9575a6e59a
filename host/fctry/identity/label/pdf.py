"""Labels on sheets of label paper, as PDF."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fctry.errors import InputError
from fctry.identity.label.drawing import Drawing

if TYPE_CHECKING:
    from fpdf import FPDF

POINTS_PER_MM = 72 / 25.4
FONT = "Courier"  # every PDF reader has it; its characters are 0.6 em wide


@dataclass(frozen=True)
class Sheet:
    """Label paper: where the labels are on a page. `skipped` labels of the first page have been used already."""

    columns: int
    rows: int
    page_mm: tuple[float, float] = (210.0, 297.0)
    left_mm: float = 0.0
    top_mm: float = 0.0
    gap_x_mm: float = 0.0
    gap_y_mm: float = 0.0
    skipped: int = 0


def sheet_pdf(drawings: Iterable[Drawing], sheet: Sheet) -> bytes:
    """The sheets with these labels, line by line. Raises InputError for what does not fit the page or the font."""
    from fpdf import FPDF  # takes longer to load than labels of other kinds take

    document = FPDF(unit="mm", format=sheet.page_mm)
    document.set_auto_page_break(False)
    per_page = sheet.columns * sheet.rows
    for number, drawing in enumerate(drawings, sheet.skipped % per_page):
        if document.page == 0 or number % per_page == 0:
            document.add_page()
        row, column = divmod(number % per_page, sheet.columns)
        x_mm = sheet.left_mm + column * (drawing.width_mm + sheet.gap_x_mm)
        y_mm = sheet.top_mm + row * (drawing.height_mm + sheet.gap_y_mm)
        _check_inside(x_mm + drawing.width_mm, y_mm + drawing.height_mm, sheet)
        _add(document, drawing, x_mm, y_mm)
    return bytes(document.output())


def _check_inside(right_mm: float, bottom_mm: float, sheet: Sheet) -> None:
    if right_mm > sheet.page_mm[0] + 0.01 or bottom_mm > sheet.page_mm[1] + 0.01:
        raise InputError(
            "labels at {:g} x {:g} mm leave the page of {:g} x {:g} mm".format(
                right_mm, bottom_mm, *sheet.page_mm
            ),
            hint="take fewer columns and rows, smaller margins or a smaller label",
        )


def _add(document: FPDF, drawing: Drawing, x_mm: float, y_mm: float) -> None:
    for row in sorted({row for _, row in drawing.modules}):
        columns = sorted(column for column, at in drawing.modules if at == row)
        start = previous = columns[0]
        for column in [*columns[1:], -1]:  # neighbours as one bar: no hairlines between them
            if column == previous + 1:
                previous = column
                continue
            document.rect(
                x_mm + drawing.qr_x_mm + start * drawing.module_mm,
                y_mm + drawing.qr_y_mm + row * drawing.module_mm,
                (previous - start + 1) * drawing.module_mm,
                drawing.module_mm,
                style="F",
            )
            start = previous = column
    for text in drawing.texts:
        document.set_font(FONT, size=text.size_mm * POINTS_PER_MM)
        try:
            text.text.encode("latin-1")
        except UnicodeEncodeError:
            raise InputError(
                f"{text.text!r} cannot be set in PDF's own fonts", hint="print it as SVG, or in Latin letters"
            ) from None
        document.text(x_mm + text.x_mm, y_mm + text.y_mm, text.text)
