"""Show what is in an image, or in a dump of a device's partition: pages, keys, values.

fctry image show device.bin --full
fctry image show --port /dev/ttyUSB0
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from shutil import get_terminal_size
from typing import Any

from rich.text import Text

from fctry.cli.arguments import Argument, Arguments, Option, path
from fctry.cli.console import Console
from fctry.cli.image.dump import DUMP, PORT, given, where_in
from fctry.cli.image.opened import open_image
from fctry.cli.image.shown import as_json, secrets_option, short_text_of, stated, text_of
from fctry.cli.options import KEYS, inputs_of, keys_of
from fctry.cli.text import VALUE_WIDTH, VALUE_WIDTH_MIN, fitted
from fctry.files import STANDARD, keep_inputs, write_file
from fctry.nvs.format import PAGE_SIZE_BYTES
from fctry.nvs.picture import BAD, DATA, ERASED, FREE, ITEM, NAMESPACE, Cell, cells, headlines, svg
from fctry.nvs.reader import Page
from fctry.nvs.values import Stored, read_erased_items, read_items
from fctry.printable import printable

ROW = 21  # entries; a sixth of a page
SIGNS = {
    NAMESPACE: ("N", "magenta"),
    ITEM: ("K", "bold blue"),
    DATA: ("=", "blue"),
    ERASED: ("x", "dim"),
    BAD: ("!", "bold red"),
    FREE: (".", "dim"),
}
LEGEND = "N namespace  K key  = its data  x erased  ! damaged  . free"


PARAMETERS = (
    Argument("image", type=path, required=False, help="NVS image, or dump of a whole flash"),
    PORT,
    Option("--json", is_flag=True, help="print as JSON, blobs in base64"),
    Option("--full", is_flag=True, help="show long values whole"),
    Option("--erased", is_flag=True, help="show erased and overwritten values too, as far as they are left"),
    Option("--svg", type=path, metavar="FILE", help="write a picture of the pages"),
    secrets_option(),
    *KEYS,
    *DUMP,
)


def run(args: Arguments) -> int:
    source = given(args.image, args)
    contents = open_image(source, keys_of(args), where_in(args)).contents
    if args.svg is not None:
        keep_inputs([args.svg], inputs_of(args))
        size_bytes = len(contents.pages) * PAGE_SIZE_BYTES
        write_file(
            args.svg, svg(contents.pages, f"{str(source).rpartition('/')[2]}: {size_bytes:#x} bytes").encode()
        )
        if args.svg == STANDARD:
            return 0
    rows = [(stored, "") for stored in read_items(contents)]
    if args.erased:
        rows += [(stored, "erased") for stored in read_erased_items(contents)]
    items = stated((stored.item for stored, _ in rows), args)
    rows = [(stored._replace(item=item), state) for (stored, state), item in zip(rows, items, strict=True)]
    if args.json:
        print(json.dumps([_as_json(stored, state) for stored, state in rows], indent=2))
    else:
        _print_pages(contents.pages)
        _print_items(rows, full=args.full)
    return 0


def _as_json(stored: Stored, state: str) -> dict[str, Any]:
    item, entry = stored
    place = {"page": entry.page, "entry": entry.number}
    return {**as_json(item), **place, **({"state": state} if state else {})}


def _print_pages(pages: Sequence[Page]) -> None:
    """A letter per entry, and behind each row the keys that begin in it; cut to the width of a terminal."""
    console = Console()
    for text, page in headlines(pages):
        console.print(text, markup=False, soft_wrap=True)
        for row in _rows(cells(page) if page else []):
            if console.is_terminal:
                console.print(row, no_wrap=True, overflow="ellipsis")
            else:
                console.print(row, soft_wrap=True)
    console.print(LEGEND, style="dim", soft_wrap=True)


def _rows(drawn: list[Cell]) -> Iterator[Text]:
    for start in range(0, len(drawn), ROW):
        if all(cell.kind == FREE for cell in drawn[start:]):
            yield Text(f"{start:5}  free to the end of the page", style="dim")
            break
        row = drawn[start : start + ROW]
        keys = [(f" {cell.label}", SIGNS[cell.kind][1]) for cell in row if cell.label]
        yield Text.assemble(f"{start:5}  ", *[SIGNS[cell.kind] for cell in row], " " if keys else "", *keys)


def _print_items(rows: list[tuple[Stored, str]], *, full: bool) -> None:
    if not rows:
        return
    print()
    names = ("namespace", "key", "type", "page:entry")
    table = [names]
    for (item, entry), state in rows:
        place = f"{entry.page}:{entry.number}" + (f" {state}" if state else "")
        table.append((printable(item.namespace), printable(item.key), item.type.value, place))
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    width = VALUE_WIDTH
    if sys.stdout.isatty():
        width = max(VALUE_WIDTH_MIN, get_terminal_size().columns - sum(widths) - 2 * len(widths))
    values = [text_of(item) if full else short_text_of(item, width) for (item, _), _ in rows]
    for row, value in zip(table, ["value", *values], strict=True):
        cells = [cell.ljust(size) for cell, size in zip(row, widths, strict=True)]
        line = "  ".join([*cells, value])
        print(line if full else fitted(line))
