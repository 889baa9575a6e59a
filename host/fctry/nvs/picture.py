"""Pictures of a partition's pages: what each entry holds, for the eye. As data, and drawn as SVG."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from fctry.nvs.format import ENTRY_COUNT, NAMESPACE_NS_INDEX, DataType, EntryState, PageState
from fctry.nvs.reader import DATA_TYPES, Entry, Page, read_entries, read_erased
from fctry.printable import printable, xml_text

FREE, NAMESPACE, ITEM, DATA, ERASED, BAD = "free", "namespace", "item", "data", "erased", "bad"


class Cell(NamedTuple):
    """One entry: its kind, the key that begins here, and a line about it."""

    kind: str
    label: str = ""
    title: str = ""


def cells(page: Page) -> list[Cell]:
    """What the 126 entries of a page hold."""
    drawn = [_bare(page, number) for number in range(ENTRY_COUNT)]
    for entry in read_erased(page):
        _put(drawn, entry, ERASED, ERASED)
    for entry in read_entries(page):
        if entry.fault == "data":
            _put(drawn, entry, BAD, BAD)
        elif entry.fault:
            drawn[entry.number] = Cell(BAD, "", f"entry {entry.number}: {entry.fault}")
        else:
            _put(drawn, entry, NAMESPACE if entry.ns_index == NAMESPACE_NS_INDEX else ITEM, DATA)
    return drawn


def _bare(page: Page, number: int) -> Cell:
    """An entry by its state alone: one that is written but no part of an item is bad."""
    kinds = {EntryState.EMPTY: FREE, EntryState.ERASED: ERASED}
    kind = kinds.get(EntryState(page.states[number]), BAD)
    return Cell(kind, "", f"entry {number}: {kind}")


def _put(drawn: list[Cell], entry: Entry, first: str, others: str) -> None:
    data_type = DATA_TYPES[entry.type]
    title = f"entry {entry.number}: namespace {entry.ns_index}, key {entry.key}, {data_type.name}"
    if data_type is DataType.BLOB_DATA:
        title += f", chunk {entry.chunk_index:#04x}"
    if entry.payload:
        title += f", {len(entry.payload)} bytes"
    drawn[entry.number] = Cell(first, printable(entry.key), printable(title))
    for number in range(entry.number + 1, entry.number + entry.span):
        drawn[number] = Cell(others, "", printable(title))


def headlines(pages: Sequence[Page]) -> Iterator[tuple[str, Page | None]]:
    """Each page in a line, and the page itself if it has entries to be drawn. Free pages in a row share a line."""
    for is_free, run in groupby(pages, lambda page: page.state is PageState.UNINITIALIZED):
        run_pages = list(run)
        first, last = run_pages[0].number, run_pages[-1].number
        if is_free:
            yield f"page {first}: free" if first == last else f"pages {first} to {last}: free", None
        else:
            yield from ((_headline(page), page if page.is_loaded else None) for page in run_pages)


def _headline(page: Page) -> str:
    if not page.is_loaded:
        return f"page {page.number}: corrupt"
    used = page.states.count(EntryState.WRITTEN)
    erased = page.states.count(EntryState.ERASED)
    name = f"page {page.number}: {page.state.name.lower()}, sequence {page.sequence}"
    text = f"{name}, {used} of {ENTRY_COUNT} entries used"
    return f"{text}, {erased} erased" if erased else text


COLUMNS = 9
ROWS = ENTRY_COUNT // COLUMNS
CELL_WIDTH, CELL_HEIGHT = 102, 16
MARGIN, GUTTER, LINE = 16, 26, 24
WIDTH = 2 * MARGIN + GUTTER + COLUMNS * CELL_WIDTH
FILLS = {
    FREE: "#f3f4f6",
    NAMESPACE: "#c4b5fd",
    ITEM: "#93c5fd",
    DATA: "#dbeafe",
    ERASED: "#d1d5db",
    BAD: "#fca5a5",
}
STYLE = """\
text { font: 11px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; fill: #1f2937 }
.title { font-size: 13px; font-weight: bold }
.number { font-size: 9px; fill: #6b7280 }
.key { font-size: 10px }
"""


def svg(pages: Sequence[Page], title: str) -> str:
    """The pages as an SVG image: every entry's kind by colour, keys labelled, free pages as a line."""
    body: list[str] = []
    top = MARGIN + LINE
    for text, page in headlines(pages):
        body.append(_text(MARGIN, top, text))
        top += LINE // 3
        if page:
            body += _grid(page, top)
            top += ROWS * CELL_HEIGHT + LINE // 3
        top += LINE * 2 // 3
    body += _legend(top)
    height = top + LINE
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}">'
    frame = f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>'
    name = _text(MARGIN, MARGIN + 4, title, "title")
    return "\n".join([head, f"<style>{STYLE}</style>", frame, name, *body, "</svg>", ""])


def _grid(page: Page, top: int) -> Iterator[str]:
    for number, cell in enumerate(cells(page)):
        row, column = divmod(number, COLUMNS)
        x, y = MARGIN + GUTTER + column * CELL_WIDTH, top + row * CELL_HEIGHT
        if not column:
            yield _text(MARGIN, y + 11, str(number), "number")
        box = f'x="{x}" y="{y}" width="{CELL_WIDTH - 1}" height="{CELL_HEIGHT - 1}"'
        yield f'<rect {box} fill="{FILLS[cell.kind]}"><title>{xml_text(cell.title)}</title></rect>'
        if cell.label:
            yield _text(x + 4, y + 11, cell.label, "key")


def _legend(top: int) -> Iterator[str]:
    meanings = {
        NAMESPACE: "namespace",
        ITEM: "key",
        DATA: "its data",
        ERASED: "erased",
        BAD: "damaged",
        FREE: "free",
    }
    for place, (kind, meaning) in enumerate(meanings.items()):
        x = MARGIN + GUTTER + place * CELL_WIDTH
        yield f'<rect x="{x}" y="{top - 9}" width="12" height="12" fill="{FILLS[kind]}"/>'
        yield _text(x + 18, top + 1, meaning)


def _text(x: int, y: int, text: str, style: str = "") -> str:
    style_attribute = f' class="{style}"' if style else ""
    return f'<text x="{x}" y="{y}"{style_attribute}>{xml_text(text)}</text>'
