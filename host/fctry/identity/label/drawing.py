"""A label as shapes in millimetres, whatever prints it: a QR code at the left, lines of text at its right.

Source: ISO/IEC 18004 (a quiet zone of four modules around a QR code).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

import segno

from fctry.errors import CapacityError, InputError
from fctry.identity.named import fill

MARGIN_MM = 1.5
QUIET_ZONE_MODULES = 4
MODULE_MM_MIN = 0.25  # phones and hand-held scanners give up below
CHARACTER_WIDTH_EM = 0.6  # of the fixed-width fonts that labels are set in
LINE_HEIGHT_EM = 1.25
TEXT_MM_MAX, TEXT_MM_MIN = 4.0, 1.2
CODE_GROUPS = {8: ((4,), (4,)), 11: ((4, 3, 4),), 21: ((4, 3, 4), (4, 3, 3))}
"""Digits of a setup code -> lines of its groups: HomeKit's setup code, Matter's manual codes."""


@dataclass(frozen=True)
class Label:
    """What one device's label says. `code` are the lines of its setup code, large."""

    lines: tuple[str, ...]
    qr: str
    code: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Label({len(self.lines)} lines)"  # a code and its payload are secrets


@dataclass(frozen=True)
class LabelTemplate:
    """The label of a product. `lines`, `qr` and `code` hold fields such as `{serial_number}`."""

    lines: tuple[str, ...]
    qr: str
    code: str = ""
    width_mm: float = 50.0
    height_mm: float = 25.0

    def fill(self, values: Mapping[str, str]) -> Label:
        """The label of a device with these values by field. Raises InputError for a field that it has not."""
        lines = tuple(_filled(line, values) for line in self.lines)
        return Label(lines, _filled(self.qr, values), _code_lines(_filled(self.code, values)))


@dataclass(frozen=True)
class Text:
    """A line of text; `x_mm` is its left end, `y_mm` its base line, `size_mm` the height of the font."""

    x_mm: float
    y_mm: float
    size_mm: float
    text: str


@dataclass(frozen=True)
class Drawing:
    """A label's shapes. `modules` are the dark squares of the QR code by column and row, from its corner."""

    width_mm: float
    height_mm: float
    qr_x_mm: float
    qr_y_mm: float
    module_mm: float
    modules: frozenset[tuple[int, int]]
    texts: tuple[Text, ...]


def draw(label: Label, template: LabelTemplate) -> Drawing:
    """Lay a label out. Raises CapacityError when it is too small for what it shall say."""
    # without an ECI, readers guess the encoding: `é2` is read as Japanese. ASCII is the same in all of them
    is_ascii = label.qr.isascii()
    encoding = None if is_ascii else "utf-8"
    matrix = segno.make(label.qr, error="m", micro=False, encoding=encoding, eci=not is_ascii).matrix
    edge_mm = min(template.height_mm, template.width_mm)
    module_mm = edge_mm / (len(matrix) + 2 * QUIET_ZONE_MODULES)
    if module_mm < MODULE_MM_MIN:
        needed_mm = MODULE_MM_MIN * (len(matrix) + 2 * QUIET_ZONE_MODULES)
        raise CapacityError(
            f"a QR code of {len(label.qr)} characters does not fit a label {edge_mm:g} mm high",
            hint=f"make it at least {needed_mm:.1f} mm high, or put less into the code",
        )
    quiet_mm = QUIET_ZONE_MODULES * module_mm
    return Drawing(
        template.width_mm,
        template.height_mm,
        quiet_mm,
        quiet_mm + (template.height_mm - edge_mm) / 2,
        module_mm,
        frozenset(
            (column, row) for row, cells in enumerate(matrix) for column, cell in enumerate(cells) if cell
        ),
        _texts(label, template, edge_mm),
    )


def _texts(label: Label, template: LabelTemplate, left_mm: float) -> tuple[Text, ...]:
    rows = [(line, 1.0) for line in label.lines] + [(line, 1.5) for line in label.code]
    if not rows:
        return ()
    width_mm = template.width_mm - left_mm - MARGIN_MM
    widest_em = max(len(text) * scale * CHARACTER_WIDTH_EM for text, scale in rows)
    height_em = sum(scale for _, scale in rows) * LINE_HEIGHT_EM
    size_mm = min(
        TEXT_MM_MAX, width_mm / max(widest_em, 1e-9), (template.height_mm - 2 * MARGIN_MM) / height_em
    )
    if size_mm < TEXT_MM_MIN:
        raise CapacityError(
            f"the text does not fit a label of {template.width_mm:g} x {template.height_mm:g} mm",
            hint=f"letters would be {max(size_mm, 0):.1f} mm high: take a larger label, or less text",
        )
    texts = []
    y_mm = (template.height_mm - height_em * size_mm) / 2
    for text, scale in rows:
        y_mm += scale * size_mm * LINE_HEIGHT_EM
        texts.append(Text(left_mm, y_mm - 0.25 * scale * size_mm, scale * size_mm, text))
    return tuple(texts)


def _code_lines(code: str) -> tuple[str, ...]:
    if not code:
        return ()
    digits = code.replace("-", "")
    if not re.fullmatch(r"[0-9]+", digits) or len(digits) not in CODE_GROUPS:
        raise InputError(
            "a setup code has 8 digits (HomeKit), 11 or 21 (Matter)", hint="name the field of the setup code"
        )
    rest = iter(digits)
    return tuple("-".join("".join(islice(rest, size)) for size in line) for line in CODE_GROUPS[len(digits)])


def _filled(template: str, values: Mapping[str, str]) -> str:
    text = fill(template, values)
    if not text.isprintable():
        raise InputError(
            "a label with control characters", hint="leave fields with line ends or controls out of it"
        )
    return text
