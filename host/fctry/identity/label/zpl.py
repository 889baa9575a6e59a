"""A label as ZPL II, for label printers.

Source: Zebra, "ZPL II Programming Guide" (P1099958-001): ^GFA graphic field, ^FH hexadecimal, ^CI28 UTF-8, ^A0.
The QR code goes as a picture: printers differ in where and how large they draw ^BQ.
"""

from __future__ import annotations

from fctry.identity.label.drawing import Drawing

DOTS_PER_MM = {203: 8, 300: 12, 600: 24}  # by the printer's resolution in dots an inch


def zpl(drawing: Drawing, dpi: int = 203) -> str:
    """The label as one ZPL format. `dpi` is 203, 300 or 600."""
    dots = DOTS_PER_MM[dpi]
    fields = [_picture(drawing, dots)]
    for text in drawing.texts:
        height = round(text.size_mm * dots)
        y = round(text.y_mm * dots) - round(0.75 * height)
        content = (
            "".join(
                f"_{byte:02X}" if byte in b"_^~\\" or byte < 0x20 else chr(byte)
                for byte in text.text.encode()
            )
            .encode("latin-1")
            .decode()
        )
        fields.append(
            f"^FO{round(text.x_mm * dots)},{max(y, 0)}^A0N,{height},{round(0.9 * height)}^FH_^FD{content}^FS"
        )
    size = f"^PW{round(drawing.width_mm * dots)}^LL{round(drawing.height_mm * dots)}"
    return "\n".join(["^XA", "^CI28", size, *fields, "^XZ"]) + "\n"


def _picture(drawing: Drawing, dots: int) -> str:
    scale = max(
        1, int(drawing.module_mm * dots)
    )  # whole dots: a module of 2.5 dots is read worse than one of 2
    edge = 1 + max(max(module) for module in drawing.modules)
    row_bytes = -(-edge * scale // 8)
    picture = []
    for row in range(edge):
        bits = "".join(
            "1" * scale if (column, row) in drawing.modules else "0" * scale for column in range(edge)
        )
        line = f"{int(bits.ljust(row_bytes * 8, '0'), 2):0{row_bytes * 2}X}"
        picture += [line] * scale
    total = row_bytes * len(picture)
    place = f"^FO{round(drawing.qr_x_mm * dots)},{round(drawing.qr_y_mm * dots)}"
    return f"{place}^GFA,{total},{total},{row_bytes},{''.join(picture)}^FS"
