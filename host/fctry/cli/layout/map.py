"""What `fctry layout show` prints: maps of a flash as characters, in colour on a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from fctry.cli.printed import Piece, print_pieces
from fctry.partitions.picture.flashmap import FlashMap, Kind, hex_text
from fctry.partitions.picture.terminal import Cell, LegendRow, cell_bytes, grid, legend, marks, summary

BACKGROUNDS = {
    Kind.RESERVED: "black on grey70",
    Kind.BOOTLOADER: "black on light_steel_blue",
    Kind.TABLE: "white on grey30",
    Kind.APP: "black on sky_blue2",
    Kind.NVS: "black on light_goldenrod2",
    Kind.FACTORY: "black on light_salmon1",
    Kind.DATA: "black on dark_sea_green2",
    Kind.OTHER: "black on plum2",
    Kind.ALIGNMENT: "red",
    Kind.FREE: "bright_black",
}
COLUMNS, COLUMNS_OF_PAIR = 64, 32


def print_maps(maps: Sequence[FlashMap]) -> None:
    """One map, or the old one on the left and the new one on the right."""
    letters = marks(*maps)
    columns = COLUMNS if len(maps) == 1 else COLUMNS_OF_PAIR
    size_bytes = max(flash.size_bytes for flash in maps)
    cell = cell_bytes(size_bytes, columns)
    # the table that was named first is the new one: it stands on the right
    in_order = list(reversed(maps))
    grids = [grid(flash, letters, columns, cell) for flash in in_order]
    lines: list[list[Piece]] = [[(summary(flash, cell), "bold")] for flash in in_order]
    lines.append([])
    for number in range(max(len(rows) for rows in grids)):
        line: list[Piece] = [(f"{hex_text(number * columns * cell, size_bytes)} ", "dim")]
        for rows in grids:
            line += _runs(rows[number] if number < len(rows) else [Cell(" ", None)] * columns)
            line.append(("  ", ""))
        lines.append(line)
    for flash in in_order:
        lines += [[], *_legend_lines(flash.title if len(maps) > 1 else "", legend(flash, letters, cell))]
    print_pieces(lines)


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


def _legend_lines(title: str, rows: Sequence[LegendRow]) -> list[list[Piece]]:
    name_width = max(len(row.label) for row in rows)
    detail_width = max(len(row.detail) for row in rows)
    lines: list[list[Piece]] = [[(title, "bold")]] if title else []
    for row in rows:
        text = f" {row.label:<{name_width}}  {row.detail:<{detail_width}}  {row.offset}-{row.last}  {row.size:>8}"
        lines.append([(row.mark, BACKGROUNDS[row.kind]), (text, "")])
    return lines
