"""What is stuck on a device: a label as SVG, as a sheet in PDF, or as ZPL for a label printer."""

from fctry.identity.label.drawing import Drawing, Label, LabelTemplate, draw
from fctry.identity.label.pdf import Sheet, sheet_pdf
from fctry.identity.label.svg import svg
from fctry.identity.label.zpl import zpl

__all__ = ["Drawing", "Label", "LabelTemplate", "Sheet", "draw", "sheet_pdf", "svg", "zpl"]
