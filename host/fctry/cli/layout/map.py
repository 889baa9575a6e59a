"""What `fctry layout show` prints: maps of a flash as characters, in colour on a terminal."""

from __future__ import annotations

import re
from collections.abc import Sequence
from shutil import get_terminal_size
from textwrap import wrap

from fctry.cli.printed import Piece, print_pieces
from fctry.cli.text import cut
from fctry.partitions.picture.flashmap import FlashMap, Kind, hex_text, size_text
from fctry.partitions.picture.terminal import Cell, LegendRow, legend, marks, picture, summary

BACKGROUNDS = {
    Kind.RESERVED: "black on grey70",
    Kind.BOOTLOADER: "black on light_steel_blue",
    Kind.TABLE: "white on grey30",
    Kind.APP: "black on sky_blue2",
    Kind.NVS: "black on light_goldenrod2",
    Kind.FACTORY: "bold white on red3",
    Kind.DATA: "black on dark_sea_green2",
    Kind.OTHER: "black on plum2",
    Kind.ALIGNMENT: "bright_black",
    Kind.FREE: "bright_black",
}
COLUMNS_MAX = 64


def print_maps(maps: Sequence[FlashMap]) -> None:
    """One map, or the old one on the left and the new one on the right, as wide as the terminal lets them be."""
    letters = marks(*maps)
    size_bytes = max(flash.size_bytes for flash in maps)
    width = get_terminal_size().columns
    in_order = list(reversed(maps))  # the table that was named first is the new one: it stands on the right
    columns = COLUMNS_MAX
    while columns > 16 and len(hex_text(0, size_bytes)) + (columns + 2) * len(maps) > width:
        columns //= 2
    cell, rows = picture(in_order, letters, columns)
    text = [*map(summary, in_order), f"one character is {size_text(cell)}"]
    lines: list[list[Piece]] = [[(line, "bold")] for one in text for line in _wrapped(one, width)]
    lines.append([])
    for row in rows:
        line: list[Piece] = [(f"{hex_text(row.offset, size_bytes)} ", "dim")]
        for cells in row.cells:
            line += [*_runs(cells), ("  ", "")]
        lines.append(line)
        if row.left_out:
            lines.append(
                [(f"{'…':>{len(hex_text(0, size_bytes))}} {row.left_out} more rows like this", "dim")]
            )
    for flash in in_order:
        title = flash.title if len(maps) > 1 else ""
        lines += [[], *_legend_lines(title, legend(flash, letters, cell), width)]
    print_pieces(lines)


def _wrapped(text: str, width: int) -> list[str]:
    """Lines that end behind a comma or a colon: a number stays with its unit."""
    kept = re.sub("(?<![,:]) ", "\N{NO-BREAK SPACE}", text)
    lines = wrap(kept, width, break_on_hyphens=False)
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in lines]


def _runs(cells: Sequence[Cell]) -> list[Piece]:
    """Neighbouring cells of one kind as one piece."""
    pieces: list[Piece] = []
    for cell in cells:
        style = BACKGROUNDS[cell.kind] if cell.kind else ""
        if pieces and pieces[-1][1] == style:
            pieces[-1] = (pieces[-1][0] + cell.mark, style)
        else:
            pieces.append((cell.mark, style))
    return pieces


def _legend_lines(title: str, rows: Sequence[LegendRow], width: int) -> list[list[Piece]]:
    """Name, type, place and size of each; on a narrow terminal the last byte is left out, and long types are cut."""
    name_width = max(len(row.label) for row in rows)
    detail_width = max(len(row.detail) for row in rows)
    taken = len("A ") + name_width + len("    ") + len(rows[0].offset) + len("  1.25 M")
    has_last = taken + detail_width + 1 + len(rows[0].last) <= width
    detail_width = max(8, min(detail_width, width - taken))
    lines: list[list[Piece]] = [[(title, "bold")]] if title else []
    for row in rows:
        detail = cut(row.detail, detail_width)
        place = f"{row.offset}-{row.last}" if has_last else row.offset
        text = f" {row.label:<{name_width}}  {detail:<{detail_width}}  {place} {row.size:>7}"
        lines.append([(row.mark, BACKGROUNDS[row.kind]), (text, "")])
    return lines
