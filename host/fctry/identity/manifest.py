"""The manifest of a batch: a line a device, as JSON lines and as CSV. It holds no secret."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from json.encoder import encode_basestring as _text  # a string as JSON has it: all that a line is made of
from typing import NamedTuple

HEADER = ("number", "file", "sha256")
_QUOTED = re.compile('["\r\n]')


class Line(NamedTuple):
    """A device by its number in the batch, its file, the SHA-256 of its image, and what everybody may know of it."""

    number: int
    file: str
    sha256: str
    fields: Mapping[str, str]


def as_json(lines: Iterable[Line]) -> str:
    """The lines as JSON lines."""
    return "".join(
        f'{{"number": {number}, "file": {_text(file)}, "sha256": {_text(sha256)}, "fields": {{'
        f"{', '.join([f'{_text(name)}: {_text(value)}' for name, value in fields.items()])}}}}}\n"
        for number, file, sha256, fields in lines
    )


def parse_json(raw: str) -> Line | None:
    """The line that `as_json` made. None for one that is damaged, as a power cut leaves the last."""
    try:
        return Line(**json.loads(raw))
    except (ValueError, TypeError):
        return None


def as_csv(lines: Iterable[Line], fields: Sequence[str], *, with_header: bool = False) -> str:
    """The lines as CSV (RFC 4180), a column for each of the `fields` behind those of every manifest."""
    rows = [
        _row([str(number), file, sha256, *[values.get(name, "") for name in fields]])
        for number, file, sha256, values in lines
    ]
    return "".join([_row([*HEADER, *columns(fields, HEADER)]), *rows] if with_header else rows)


def columns(fields: Sequence[str], taken: Sequence[str]) -> list[str]:
    """What public values are called as columns beside those that are `taken`: the name, or `public.NAME`."""
    return [f"public.{name}" if name in taken else name for name in fields]


def _row(cells: Sequence[str]) -> str:
    row = ",".join(cells)
    if row.count(",") == len(cells) - 1 and not _QUOTED.search(row):
        return f"{row}\r\n"  # the writer of Python takes four times as long to see that nothing needs quotes
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue()
