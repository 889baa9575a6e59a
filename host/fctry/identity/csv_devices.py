"""The devices of a CSV with a line for each: read, and held against their spec before the first image."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from fctry.errors import InputError
from fctry.identity.draft import Context
from fctry.identity.spec import Spec
from fctry.nvs.csv_records import read_records
from fctry.nvs.refusals import Refusals

NO_TIME = datetime(1970, 1, 1, tzinfo=timezone.utc)  # values of a CSV do not depend on it


class Row(NamedTuple):
    """A device's line, counted from 1, and its cells; a line may be short of the last columns."""

    line: int
    cells: tuple[str, ...]


def read_devices(values: Path, refusals: Refusals) -> tuple[tuple[str, ...], list[Row]]:
    """The names of the columns, and the devices. Raises InputError with file and line."""
    columns: tuple[str, ...] = ()
    rows = []
    for record in read_records(values, (), refusals):
        columns = record.columns
        rows.append(Row(record.line, tuple(record.cells.values())))
    if not rows:
        raise InputError("no devices", hint="give one line per device", file=values)
    return columns, rows


@dataclass(frozen=True)
class Devices:
    """The devices of a CSV. `repeated` are the columns of which the first device has the value for all."""

    spec: Spec
    columns: tuple[str, ...]
    rows: Sequence[Row] = field(repr=False)  # some cells may be secrets
    repeated: Collection[str] = ()

    def cells(self, number: int) -> dict[str, str]:
        """Column -> cell of the device of this number, counted from 1."""
        cells = dict(zip(self.columns, self.rows[number - 1].cells, strict=False))
        if self.repeated and number > 1:
            first = dict(zip(self.columns, self.rows[0].cells, strict=False))
            cells.update({column: first[column] for column in self.repeated if column in first})
        return cells

    def check(self) -> None:
        """Raise InputError, for all that is wrong at once: values that are none, repeated ones that differ, and devices
        that are the same or share a value that must be unique, with the lines of both.
        """
        refusals = Refusals()
        seen: dict[tuple[str, bytes], int] = {}
        for number, row in enumerate(self.rows, 1):
            with refusals.collected():
                self._check_repeated(number, row)
                self._check_device(number, row, seen)
        refusals.tell()

    def _check_repeated(self, number: int, row: Row) -> None:
        cells = self.cells(number)
        for column, cell in zip(self.columns, row.cells, strict=False):
            if column in self.repeated and cell not in ("", cells[column]):
                hint = (
                    f"line {self.rows[0].line} says it for all (REPEAT): leave it empty, or take REPEAT out"
                )
                raise self._refusal(row, f"{column}: another value than that of the first device", hint)

    def _check_device(self, number: int, row: Row, seen: dict[tuple[str, bytes], int]) -> None:
        try:
            draft = self.spec.draw({}, Context(NO_TIME, columns=self.cells(number)))
        except InputError as error:
            raise self._refusal(row, error.message, error.hint) from None
        for one in draft.claims:
            other = seen.setdefault((one.scope, one.value), row.line)
            if other != row.line:
                hint = f"line {other} has it too: it must be unique"
                raise self._refusal(row, f"{one.scope}: a value that another device has", hint)
        content = repr([(item.namespace, item.key, item.value) for item in self.spec.items(draft)])
        other = seen.setdefault(("", sha256(content.encode()).digest()), row.line)
        if other != row.line:
            hint = f"lines {other} and {row.line} make the same image: remove one of them, or correct it"
            raise self._refusal(row, f"the same device as in line {other}", hint)

    def _refusal(self, row: Row, message: str, hint: str) -> InputError:
        return InputError(message, hint=hint, file=self.spec.file, line=row.line)
