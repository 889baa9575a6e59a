"""`fctry image show`, `diff` and `csv`."""

from __future__ import annotations

import argparse
import base64
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from fctry.cli.files import keep_inputs, naming, write_file
from fctry.cli.image_keys import print_errors, read_image, read_rest
from fctry.errors import InputError
from fctry.nvs.contents import Contents, read
from fctry.nvs.csv import format_csv
from fctry.nvs.decoder import damage
from fctry.nvs.difference import Difference
from fctry.nvs.difference import diff as differences
from fctry.nvs.format import PAGE_SIZE_BYTES
from fctry.nvs.item import Item
from fctry.nvs.picture import BAD, DATA, ERASED, FREE, ITEM, NAMESPACE, Cell, cells, headlines, printable, svg
from fctry.nvs.reader import Page
from fctry.nvs.values import Stored, read_erased_items, read_items

VALUE_WIDTH = 60
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


def show(args: argparse.Namespace) -> int:
    contents = _contents(args.image, args)
    if args.svg is not None:
        keep_inputs([Path(args.svg)], [args.image, args.keys, args.hmac_key])
        size_bytes = len(contents.pages) * PAGE_SIZE_BYTES
        picture = svg(contents.pages, f"{Path(args.image).name}: {size_bytes:#x} bytes")
        write_file(Path(args.svg), picture.encode())
    rows = [(stored, "") for stored in read_items(contents)]
    if args.erased:
        rows += [(stored, "erased") for stored in read_erased_items(contents)]
    if args.json:
        print(json.dumps([_as_dict(stored, state) for stored, state in rows], indent=2))
    else:
        _print_pages(contents.pages)
        _print_items(rows, full=args.full)
    return 0


def _print_pages(pages: Sequence[Page]) -> None:
    """A letter per entry, and behind each row the keys that begin in it; cut to the width of a terminal."""
    console = Console(highlight=False)
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
    table = [("namespace", "key", "type", "page:entry", "value")]
    for (item, entry), state in rows:
        value = _text(item) if full else _short(item)
        place = f"{entry.page}:{entry.number}" + (f" {state}" if state else "")
        table.append((printable(item.namespace), printable(item.key), item.type.value, place, value))
    widths = [max(len(row[column]) for row in table) for column in range(4)]
    for row in table:
        print("  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[4]]))


def _text(item: Item) -> str:
    """A value on one line; what is not printable in a string is escaped."""
    if isinstance(item.value, bytes):
        return item.value.hex()
    if isinstance(item.value, str) and not item.value.isprintable():
        return item.value.encode("unicode_escape").decode()
    return str(item.value)


def _short(item: Item) -> str:
    text = _text(item)
    if len(text) <= VALUE_WIDTH or not isinstance(item.value, (bytes, str)):
        return text
    raw = item.value if isinstance(item.value, bytes) else item.value.encode(errors="surrogateescape")
    return f"{text[:VALUE_WIDTH]}… ({len(raw)} bytes)"


def _as_dict(stored: Stored, state: str = "") -> dict[str, Any]:
    """As the firmware reports it: blobs, and strings that are not UTF-8, in base64."""
    item, entry = stored
    where: dict[str, Any] = {"page": entry.page, "entry": entry.number}
    return {**_item_as_dict(item), **where, **({"state": state} if state else {})}


def _item_as_dict(item: Item) -> dict[str, Any]:
    names = {"namespace": printable(item.namespace), "key": printable(item.key), "type": item.type.value}
    if isinstance(item.value, bytes):
        return {**names, "value": base64.b64encode(item.value).decode()}
    if isinstance(item.value, str):
        raw = item.value.encode(errors="surrogateescape")
        if raw != item.value.encode(errors="replace"):
            return {**names, "base64": base64.b64encode(raw).decode()}
    return {**names, "value": item.value}


def diff(args: argparse.Namespace) -> int:
    before, after = (_items(_contents(path, args)) for path in (args.before, args.after))
    found = differences(before, after)
    if args.json:
        print(json.dumps([_difference_as_dict(one) for one in found], indent=2))
        return 1 if found else 0
    for one in found:
        name = f"{printable(one.namespace)}:{printable(one.key)}"
        sides = [f"{item.type.value} {_short(item)}" for item in (one.before, one.after) if item]
        print(f"{one.kind:8} {name}  {' -> '.join(sides)}")
    return 1 if found else 0


def _difference_as_dict(one: Difference) -> dict[str, Any]:
    sides = {"before": one.before, "after": one.after}
    return {"kind": one.kind, **{name: _item_as_dict(item) for name, item in sides.items() if item}}


def csv(args: argparse.Namespace) -> int:
    _, contents, errors = read_rest(args.image, args)
    items = _items(contents)
    output = Path(args.output) if args.output is not None else None
    text, files = format_csv(items, contents.namespaces.values(), output.stem if output else "")
    if output is None:
        if files:
            raise InputError(
                "some values need files of their own", hint="give a file with -o", file=args.image
            )
        sys.stdout.buffer.write(text.encode())  # a CSV is UTF-8, whatever the terminal is
        return print_errors(args.image, errors)
    beside = {output.parent / name: content for name, content in files.items()}
    keep_inputs([output, *beside], [args.image, args.keys, args.hmac_key])
    for path, content in beside.items():
        write_file(path, content)
    write_file(output, text.encode())
    print(f"{output}: {len(items)} keys{f', and {len(files)} files' if files else ''}")
    return print_errors(args.image, errors)


def _items(contents: Contents) -> list[Item]:
    return [item for item, _ in read_items(contents)]


def _contents(path: str, args: argparse.Namespace) -> Contents:
    image = read_image(path, args)
    with naming(path):
        contents = read(image)
    if damage(contents):
        print(f"warning: {path} is damaged: see `fctry image check {path}`", file=sys.stderr)
    return contents
