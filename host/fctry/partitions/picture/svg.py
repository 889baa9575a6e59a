"""A flash map as SVG: a bar to scale, its beginning magnified beside it, and two layouts side by side to compare."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from fctry.partitions.picture.flashmap import FlashMap, Kind, Segment, size_text
from fctry.printable import xml_text

BAR_WIDTH = 110
LABEL_WIDTH = 330
BAND_WIDTH = 110
PANEL_GAP = 30
MARGIN = 24
TITLE_HEIGHT = 58
LEGEND_HEIGHT = 46
BAR_HEIGHT = 640
LABEL_HEIGHT = 17
READABLE_HEIGHT = 12.0
TEXT_HEIGHT = 12
SEAM_BYTES = 0x10000  # applications begin at multiples of it

FILLS: Mapping[Kind, str] = {
    Kind.RESERVED: "#d4d4d8",
    Kind.BOOTLOADER: "#8d99ae",
    Kind.TABLE: "#2b2d42",
    Kind.APP: "#7aa6e8",
    Kind.NVS: "#f2c14e",
    Kind.FACTORY: "#d62f1f",
    Kind.DATA: "#8fc29b",
    Kind.OTHER: "#bba6dd",
    Kind.ALIGNMENT: "url(#lost)",
    Kind.FREE: "#f7f7f8",
}
STYLE = (
    "text{font:12px 'DejaVu Sans',Verdana,sans-serif;fill:#18181b}"
    ".title{font-size:15px;font-weight:bold}.factory{font-weight:bold}"
    ".note{fill:#52525b}.mono{font-family:'DejaVu Sans Mono',monospace}"
    ".s{stroke:#3f3f46;stroke-width:.6}.lead{stroke:#a1a1aa;stroke-width:.8;fill:none}"
)
LOST_PATTERN = (
    '<pattern id="lost" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="6" height="6" fill="#ffffff"/><rect width="1.2" height="6" fill="#c8c8ce"/></pattern>'
)

_Scale = Callable[[int], float]


class _Panel(NamedTuple):
    """One bar, or two with bands between them, showing the addresses from `first` up to `last`."""

    title: str
    first: int
    last: int
    maps: tuple[FlashMap, ...]

    @property
    def width(self) -> int:
        return BAR_WIDTH + LABEL_WIDTH if len(self.maps) == 1 else 2 * (BAR_WIDTH + LABEL_WIDTH) + BAND_WIDTH


def draw(flash: FlashMap, old: FlashMap | None = None) -> str:
    """The SVG document for one layout, or for `old` on the left and `flash` on the right."""
    maps = (flash,) if old is None else (old, flash)
    size_bytes = max(m.size_bytes for m in maps)
    panels = [_Panel(f"whole flash, {size_text(size_bytes)}", 0, size_bytes, maps)]
    if window := _window(maps, size_bytes):
        first, last = window
        place = f"from {first:#x}," if first else "first"
        title = f"{place} {size_text(last - first)}, {size_bytes / (last - first):.0f} times as large"
        panels.append(_Panel(title, first, last, maps))
    height = max([BAR_HEIGHT, *(LABEL_HEIGHT * len(_visible(m, p)) for p in panels for m in maps)])
    width = 2 * MARGIN + sum(panel.width for panel in panels) + PANEL_GAP * (len(panels) - 1)
    total = TITLE_HEIGHT + height + LEGEND_HEIGHT + MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{total}" viewBox="0 0 {width} {total}">',
        f"<style>{STYLE}</style><defs>{LOST_PATTERN}</defs>",
        f'<rect width="{width}" height="{total}" fill="#ffffff"/>',
        _text(MARGIN, 24, " → ".join(m.title for m in maps), "title"),
    ]
    left = MARGIN
    for panel in panels:
        parts += _panel(panel, left, height, panels[1] if len(panels) > 1 and panel is panels[0] else None)
        left += panel.width + PANEL_GAP
    parts += _legend(maps, TITLE_HEIGHT + height + 30)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _window(maps: Sequence[FlashMap], size_bytes: int) -> tuple[int, int] | None:
    """What is magnified: the factory partitions with the small segments around them, else those at the beginning.

    None where all can be read as it is.
    """
    small_bytes, window_bytes = READABLE_HEIGHT * size_bytes / BAR_HEIGHT, size_bytes // 8
    segments = sorted({(s.offset, s.end) for m in maps for s in m.segments if s.size_bytes < small_bytes})
    factory = [s for m in maps for s in m.segments if s.kind is Kind.FACTORY and s.size_bytes < small_bytes]
    first, last = min((s.offset for s in factory), default=0), max((s.end for s in factory), default=0)
    if last - first > window_bytes:  # the new one: the last map is it
        first, last = factory[-1].offset, factory[-1].end
    for offset, end in reversed(segments):
        if end <= first <= end + SEAM_BYTES and last - offset <= window_bytes:
            first = offset
    for offset, end in segments:
        if offset - SEAM_BYTES <= last <= end and end - first <= window_bytes:
            last = end
    first, last = first // SEAM_BYTES * SEAM_BYTES, -(-last // SEAM_BYTES) * SEAM_BYTES
    return (first, last) if last else None


def _visible(flash: FlashMap, panel: _Panel) -> list[Segment]:
    return [s for s in flash.segments if s.offset < panel.last and s.end > panel.first and s.size_bytes]


def _panel(panel: _Panel, left: float, height: int, magnified: _Panel | None) -> Iterator[str]:
    scale = height / (panel.last - panel.first)

    def y(address: int) -> float:
        return TITLE_HEIGHT + (min(max(address, panel.first), panel.last) - panel.first) * scale

    yield _text(left, TITLE_HEIGHT - 12, panel.title, "note")
    is_pair = len(panel.maps) == 2
    bar_left = left + LABEL_WIDTH if is_pair else left
    if is_pair:
        yield from _bands(panel, bar_left + BAR_WIDTH, y)
    for number, flash in enumerate(panel.maps):
        is_left = is_pair and number == 0
        segments = _visible(flash, panel)
        for segment in segments:
            yield _box(segment, bar_left, y(segment.offset), y(segment.end))
        yield from _labels(segments, bar_left, height, y, is_left)
        bar_left += BAR_WIDTH + BAND_WIDTH
    if magnified:
        x = left + LABEL_WIDTH - 5 if is_pair else left - 5
        ends = f"M{x + 4} {y(magnified.first):.1f}H{x}V{y(magnified.last):.1f}H{x + 4}"
        yield f'<path d="{ends}" stroke="#18181b" fill="none"/>'


def _box(segment: Segment, left: float, top: float, bottom: float) -> str:
    title = f"{segment.label} {segment.offset:#x}-{segment.end - 1:#x} {size_text(segment.size_bytes)}"
    return (
        f'<rect class="s" x="{left}" y="{top:.2f}" width="{BAR_WIDTH}" height="{bottom - top:.2f}" '
        f'fill="{FILLS[segment.kind]}"><title>{xml_text(title)}</title></rect>'
    )


def _labels(segments: list[Segment], left: float, height: int, y: _Scale, is_left: bool) -> Iterator[str]:
    """A line of text for each segment, moved apart where they are close, with a leader to its box."""
    wanted = [(y(segment.offset) + y(segment.end)) / 2 for segment in segments]
    for segment, middle, line in zip(segments, wanted, _spread(wanted, height), strict=True):
        edge = left if is_left else left + BAR_WIDTH
        way = -1 if is_left else 1
        yield (
            f'<path class="lead" d="M{edge} {middle:.1f}L{edge + way * 14} {line:.1f}H{edge + way * 18}"/>'
        )
        parts = (segment.label, segment.detail, size_text(segment.size_bytes))
        text = " · ".join(part for part in parts if part)
        address = f"{segment.offset:#08x}"
        style = "factory" if segment.kind is Kind.FACTORY else "" if segment.is_used else "note"
        baseline = line + TEXT_HEIGHT / 3
        if is_left:
            yield _text(edge - 92, baseline, text, style, anchor="end")
            yield _text(edge - 22, baseline, address, "mono", anchor="end")
        else:
            yield _text(edge + 22, baseline, address, "mono")
            yield _text(edge + 96, baseline, text, style)


def _spread(wanted: list[float], height: int) -> list[float]:
    """Places near `wanted`, in the same order, at least a line apart and within the picture."""
    top, bottom = TITLE_HEIGHT + LABEL_HEIGHT / 2, TITLE_HEIGHT + height - LABEL_HEIGHT / 2
    places: list[float] = []
    for place in wanted:
        places.append(max(place, places[-1] + LABEL_HEIGHT if places else top))
    limit = bottom
    for index in range(len(places) - 1, -1, -1):
        places[index] = min(places[index], limit)
        limit = places[index] - LABEL_HEIGHT
    return places


def _bands(panel: _Panel, left: float, y: _Scale) -> Iterator[str]:
    """Between two bars, a band from where a partition was to where it is."""
    old, new = panel.maps
    after = {segment.name: segment for segment in _visible(new, panel) if segment.name}
    for segment in _visible(old, panel):
        other = after.get(segment.name)
        if other is None:
            continue
        right = left + BAND_WIDTH
        yield (
            f'<path d="M{left} {y(segment.offset):.2f}L{right} {y(other.offset):.2f}V{y(other.end):.2f}'
            f'L{left} {y(segment.end):.2f}Z" fill="{FILLS[segment.kind]}" fill-opacity=".25"/>'
        )


def _legend(maps: Sequence[FlashMap], top: float) -> Iterator[str]:
    kinds = [kind for kind in Kind if any(segment.kind is kind for m in maps for segment in m.segments)]
    left = MARGIN
    for kind in kinds:
        yield f'<rect class="s" x="{left}" y="{top - 10}" width="14" height="12" fill="{FILLS[kind]}"/>'
        yield _text(left + 19, top, kind.value, "note")
        left += 34 + 7 * len(kind.value)
    notes = [
        f"{m.title}: free {size_text(m.total(Kind.FREE))}, lost to alignment {size_text(m.total(Kind.ALIGNMENT))}"
        for m in maps
    ]
    yield _text(MARGIN, top + 22, ";  ".join(notes), "note")


def _text(x: float, y: float, text: str, style: str, *, anchor: str = "start") -> str:
    return f'<text x="{x}" y="{y:.1f}" class="{style}" text-anchor="{anchor}">{xml_text(text)}</text>'
