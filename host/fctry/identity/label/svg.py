"""A label as SVG, in millimetres."""

from __future__ import annotations

from fctry.identity.label.drawing import Drawing
from fctry.printable import xml_text

FONT = "DejaVu Sans Mono, Menlo, Consolas, monospace"


def svg(drawing: Drawing) -> str:
    """The label as an SVG document of its own."""
    size = f"{drawing.width_mm:g}", f"{drawing.height_mm:g}"
    path = "".join(f"M{column} {row}h1v1h-1z" for column, row in sorted(drawing.modules))
    place = f"translate({drawing.qr_x_mm:.4f} {drawing.qr_y_mm:.4f}) scale({drawing.module_mm:.5f})"
    texts = "".join(
        f'<text x="{text.x_mm:.3f}" y="{text.y_mm:.3f}" font-size="{text.size_mm:.3f}" xml:space="preserve">'
        f"{xml_text(text.text)}</text>\n"
        for text in drawing.texts
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size[0]}mm" height="{size[1]}mm" '
        f'viewBox="0 0 {size[0]} {size[1]}" font-family="{FONT}">\n'
        f'<rect width="100%" height="100%" fill="#fff"/>\n'
        f'<path transform="{place}" shape-rendering="crispEdges" d="{path}"/>\n{texts}</svg>\n'
    )
