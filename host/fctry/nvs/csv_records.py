"""CSV files as records that know their line. Lines that begin with # are comments, but not within a quoted value."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from fctry.errors import InputError
from fctry.files import read_file
from fctry.nvs.refusals import Refusals

SEPARATORS = {";": "`;`", "\t": "a tab"}
LINE_END = re.compile(rb"\r\n?|\n")  # as text files are read


class Record(NamedTuple):
    """A line of a CSV, or several when a quoted value spans them. `line` is the first, counted from 1.

    `columns` are the names of all columns, `cells` has those that the line is long enough for.
    """

    file: Path
    line: int
    columns: tuple[str, ...]
    cells: dict[str, str]

    def refusal(self, message: str, hint: str) -> InputError:
        """An error about this record that names its place."""
        return InputError(message, hint=hint, file=self.file, line=self.line)


def read_records(
    path: Path,
    columns: Sequence[str],
    refusals: Refusals,
    *,
    is_headerless: Callable[[Sequence[str]], bool] = lambda row: False,
) -> Iterator[Record]:
    """The records below the line of column names, which must have these columns, among others in any order.

    `is_headerless` tells from the first line whether it is a record already: then the columns are just these.

    UTF-8 with or without byte-order mark, any line ends. A record may be shorter than the line of names, not longer.
    Raises InputError with file, line and remedy; one that leaves the records below readable is put to `refusals`.
    """
    try:
        text = read_file(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = len(LINE_END.findall(error.object[: error.start])) + 1
        raise InputError("not UTF-8", hint="save the CSV as UTF-8", file=path, line=line) from None
    yield from _parse(path, io.StringIO(text, newline=None), columns, refusals, is_headerless)


def _parse(
    path: Path,
    text: Iterable[str],
    columns: Sequence[str],
    refusals: Refusals,
    is_headerless: Callable[[Sequence[str]], bool],
) -> Iterator[Record]:
    lines = _Lines(text)
    rows = csv.reader(lines, strict=True)
    names: tuple[str, ...] = ()
    while True:
        lines.start_record()
        try:
            row = next(rows, None)
        except csv.Error as error:
            line = lines.first or lines.number
            message, hint = f"not CSV: {error}", "check the quotes"
            if "expected after" in str(error):
                message = "a character between a closing quote and the comma"
                hint = "remove it, also if it is a space; write a quote within a value twice"
            elif "field limit" in str(error):
                hint = "put a value of more than 128 KiB into a file of its own"
            raise InputError(message, hint=hint, file=path, line=line) from None
        if row is None:
            break
        if not row:
            continue
        if not names and is_headerless(row):
            names = tuple(columns)
        if not names:
            names = tuple(row)
            _check_names(path, lines.first, names, columns)
        elif len(row) > len(names):
            message = f"{len(row)} values for {len(names)} columns"
            with refusals.collected():
                raise InputError(
                    message, hint="put a value with a comma in quotes", file=path, line=lines.first
                )
        else:
            yield Record(path, lines.first, names, dict(zip(names, row, strict=False)))
    if not names:
        head = f"the line `{','.join(columns)}`" if columns else "a line that names the columns"
        raise InputError("empty", hint=f"begin with {head}", file=path)


def _check_names(path: Path, line: int, names: Sequence[str], columns: Sequence[str]) -> None:
    for separator, spoken in SEPARATORS.items():
        if len(names) == 1 and len(columns) != 1 and separator in names[0]:
            hint = "save it with commas: that is what ESP-IDF's tools read"
            raise InputError(f"columns are separated by {spoken}", hint=hint, file=path, line=line)
    for name in (*columns, *filter(None, names)):
        if names.count(name) != 1:
            problem = "missing" if name not in names else "there twice"
            wanted = f"the first line names the columns, without spaces: `{','.join(columns)}`"
            raise InputError(
                f"column {name!r} is {problem}; found {','.join(names)!r}",
                hint=wanted if columns else "remove one of them, or rename it",
                file=path,
                line=line,
            )


class _Lines:
    """Lines without comments, and the number of the one that the current record began with.

    A line within a quoted value is never a comment: only `csv.reader` knows, and it asks for one line at a time.
    """

    def __init__(self, text: Iterable[str]) -> None:
        self._text = iter(text)
        self.number = 0
        self.first = 0

    def start_record(self) -> None:
        self.first = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        while True:
            line = next(self._text)
            self.number += 1
            if self.first or not line.startswith("#"):
                break
        self.first = self.first or self.number
        return line
