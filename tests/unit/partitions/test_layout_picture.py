"""Maps of a flash: what is where, as characters and as SVG."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from fctry.partitions.layout import Layout, parse_layout
from fctry.partitions.options import Options
from fctry.partitions.picture.flashmap import FlashMap, Kind, flash_map, size_text
from fctry.partitions.picture.svg import BAR_HEIGHT, LABEL_HEIGHT, draw
from fctry.partitions.picture.terminal import MARKS, MAX_ROWS, grid, legend, marks, picture

TABLE = "nvs,data,nvs,0x9000,0x6000\nphy,data,phy,,4K\nfctry,data,nvs,,0x6000,readonly\napp,app,factory,,1M"
SIZES = [1, 2, 4, 8, 16, 32, 128]
SVG = "{http://www.w3.org/2000/svg}"


def _layout(megabytes: int | None = None, text: str = TABLE) -> Layout:
    size_bytes = megabytes << 20 if megabytes else None
    return parse_layout(text, file="p.csv", options=Options(flash_size_bytes=size_bytes))


def _map(megabytes: int | None = None, text: str = TABLE) -> FlashMap:
    return flash_map(_layout(megabytes, text), bootloader_offset=0x1000)


def test_map_says_what_is_where_from_the_first_byte_to_the_last() -> None:
    assert [(s.kind, s.name, s.offset, s.end) for s in _map(2).segments] == [
        (Kind.RESERVED, "", 0x0, 0x1000),
        (Kind.BOOTLOADER, "", 0x1000, 0x8000),
        (Kind.TABLE, "", 0x8000, 0x9000),
        (Kind.NVS, "nvs", 0x9000, 0xF000),
        (Kind.DATA, "phy", 0xF000, 0x10000),
        (Kind.FACTORY, "fctry", 0x10000, 0x16000),
        (Kind.ALIGNMENT, "", 0x16000, 0x20000),
        (Kind.APP, "app", 0x20000, 0x120000),
        (Kind.FREE, "", 0x120000, 0x200000),
    ]


def test_gap_that_is_longer_than_alignment_needs_is_free() -> None:
    kinds = [
        segment.kind for segment in _map(2, TABLE.replace("app,factory,", "app,factory,0x30000")).segments
    ]
    assert Kind.ALIGNMENT not in kinds
    assert kinds.count(Kind.FREE) == 2


def test_flash_of_unknown_size_is_the_smallest_that_holds_the_layout() -> None:
    assert _map().size_bytes == 2 << 20
    assert _map(text="nvs,data,nvs,0x9000,0x6000").size_bytes == 1 << 20


def test_flash_that_is_just_filled_is_drawn_as_large_as_it_is() -> None:
    assert _map(3, TABLE + "\nlog,data,fat,,-3M").size_bytes == 3 << 20


def test_flash_that_is_too_small_is_drawn_as_large_as_needed() -> None:
    assert _map(1).size_bytes == 2 << 20


def test_totals_add_up_to_the_flash() -> None:
    flash = _map(4)
    assert flash.total(*Kind) == 4 << 20
    assert flash.total(Kind.ALIGNMENT) == 0xA000


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [(0, "0 K"), (100, "100 B"), (4096, "4 K"), (1 << 20, "1 M"), (0x180000, "1.5 M"), (0x1A9000, "1700 K")],
)
def test_size_is_written_exactly(size_bytes: int, text: str) -> None:
    assert size_text(size_bytes) == text


@pytest.mark.parametrize("megabytes", SIZES[1:])
@pytest.mark.parametrize("columns", [16, 32, 64])
def test_picture_shows_every_sector_and_leaves_out_only_what_is_the_same(
    megabytes: int, columns: int
) -> None:
    flash = _map(megabytes)
    cell, rows = picture([flash], marks(flash), columns)
    assert cell == 0x1000
    assert len(rows) <= MAX_ROWS
    shown = [cells for row in rows for cells in [row.cells[0]] * (1 + row.left_out)]
    assert shown == list(map(tuple, grid(flash, marks(flash), columns, cell)))
    assert [row.offset for row in rows] == [
        columns * cell * sum(1 + row.left_out for row in rows[:number]) for number in range(len(rows))
    ]


def test_picture_of_a_restless_table_takes_larger_cells() -> None:
    flash = _map(32, "\n".join(f"p{n},0x40,{n},,{4 * (60 + n)}K" for n in range(90)))
    cell, rows = picture([flash], marks(flash), 32)
    assert (cell, len(rows) <= MAX_ROWS) == (0x10000, True)


@pytest.mark.parametrize(("megabytes", "columns"), [(2, 64), (4, 64), (4, 32), (8, 64), (16, 64)])
def test_grid_is_to_scale_and_shows_every_segment(megabytes: int, columns: int) -> None:
    flash = _map(megabytes)
    letters = marks(flash)
    cell = flash.size_bytes // (32 * columns)
    cells = [cell for row in grid(flash, letters, columns, cell) for cell in row]
    assert len(cells) * cell == flash.size_bytes
    assert len(cells) <= 32 * columns
    assert {c.mark for c in cells} >= {
        *letters.values(),
        *(MARKS[k] for k in (Kind.BOOTLOADER, Kind.TABLE, Kind.FREE)),
    }
    app = sum(c.mark == letters["app"] for c in cells)
    assert abs(app * cell - (1 << 20)) <= 4 * cell


def test_cell_of_two_segments_shows_the_one_with_more_of_it() -> None:
    flash = _map(4)
    cells = grid(flash, marks(flash), 64, 0x4000)[0]
    assert "".join(cell.mark for cell in cells[:9]) == "x#=ACC~~D"


def test_segment_without_a_cell_has_no_mark_in_the_legend() -> None:
    flash = _map(4)
    assert [row.label for row in legend(flash, marks(flash), 0x4000) if row.mark == " "] == ["phy"]


def test_same_name_has_the_same_letter_in_two_maps() -> None:
    letters = marks(_map(2), _map(2, TABLE.replace("phy,data,phy", "log,data,fat")))
    assert letters == {"nvs": "A", "phy": "B", "fctry": "C", "app": "D", "log": "E"}


def test_legend_has_a_line_for_each_segment() -> None:
    rows = legend(_map(2), marks(_map(2)), 0x1000)
    assert [(row.mark, row.label, row.detail, row.offset, row.last, row.size) for row in rows[5:7]] == [
        ("C", "fctry", "data/nvs readonly", "0x010000", "0x015fff", "24 K"),
        ("~", "lost to alignment", "", "0x016000", "0x01ffff", "40 K"),
    ]


def _boxes(svg: str) -> dict[str, list[tuple[float, float]]]:
    """The top and the height of the boxes of each segment, by its first word in the tooltip."""
    boxes: dict[str, list[tuple[float, float]]] = {}
    for box in ElementTree.fromstring(svg).iter(f"{SVG}rect"):
        title = box.find(f"{SVG}title")
        if title is not None and title.text:
            boxes.setdefault(title.text.split()[0], []).append(
                (float(box.get("y", 0)), float(box.get("height", 0)))
            )
    return boxes


@pytest.mark.parametrize("megabytes", SIZES[1:])
def test_drawing_is_to_scale(megabytes: int) -> None:
    boxes = _boxes(draw(_map(megabytes)))
    assert boxes["app"][0][1] == pytest.approx(BAR_HEIGHT / megabytes, abs=0.01)
    (_, nvs), (_, magnified_nvs) = boxes["nvs"]
    assert nvs == pytest.approx(BAR_HEIGHT * 0x6000 / (megabytes << 20), abs=0.01)
    assert magnified_nvs == pytest.approx(boxes["phy"][1][1] * 6, abs=0.05)
    assert magnified_nvs > 12


@pytest.mark.parametrize("megabytes", [2, 4, 8, 16, 32])
@pytest.mark.parametrize("offset", ["0x10000", "0x12000", "0x150000", "last"])
def test_magnified_part_shows_the_factory_partition_wherever_it_is(megabytes: int, offset: str) -> None:
    place = f"{(megabytes << 20) - 0x6000:#x}" if offset == "last" else offset
    app = "app,app,factory,0x20000,1M"
    fctry = f"fctry,data,nvs,{place},0x6000,readonly"
    rows = [fctry, app] if int(place, 16) < 0x20000 else [app, fctry]
    text = "\n".join(["nvs,data,nvs,0x9000,0x6000", *rows])
    svg = draw(_map(megabytes, text))
    (_, small), (_, large) = _boxes(svg)["fctry"]
    assert small < 12 < 40 < large
    assert svg.count('class="factory"') == 2


@pytest.mark.parametrize("megabytes", SIZES)
def test_labels_of_a_drawing_do_not_overlap(megabytes: int) -> None:
    svg = draw(_map(megabytes))
    texts = [t for t in ElementTree.fromstring(svg).iter(f"{SVG}text") if re.match(r"0x", t.text or "")]
    for left in {text.get("x") for text in texts}:
        lines = sorted(float(text.get("y", 0)) for text in texts if text.get("x") == left)
        assert all(b - a >= LABEL_HEIGHT - 0.2 for a, b in pairwise(lines))


def test_drawing_of_two_layouts_shows_where_partitions_went() -> None:
    svg = draw(_map(2, TABLE.replace("fctry,data,nvs,", "fctry,data,nvs,0x18000")), _map(2))
    assert svg.count('fill-opacity=".25"') == 4 + 3  # the application is behind the magnified part
    assert len(_boxes(svg)["fctry"]) == 4


def test_drawing_escapes_names() -> None:
    svg = draw(_map(2, TABLE.replace("phy,data", "a<b>&,data")))
    assert "a&lt;b&gt;&amp;" in svg
    ElementTree.fromstring(svg)


def test_drawing_of_a_full_table_is_high_enough_for_its_labels() -> None:
    text = "\n".join(f"p{n},0x40,{n},,4K" for n in range(94))
    heights = [float(svg_height) for svg_height in re.findall(r'height="(\d+)" viewBox', draw(_map(2, text)))]
    assert heights[0] > 94 * LABEL_HEIGHT
