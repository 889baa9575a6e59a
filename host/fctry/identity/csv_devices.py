"""The devices of a CSV with a line for each: read, and held against their spec before the first image."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from functools import cached_property
from hashlib import blake2b, sha256
from pathlib import Path
from typing import NamedTuple, TypeVar

from fctry.errors import InputError
from fctry.files import read_file
from fctry.identity.draft import Context, Draft
from fctry.identity.sources.column import Column
from fctry.identity.spec import Field, Spec, canonical
from fctry.identity.spec_options import did_you_mean
from fctry.nvs.csv_records import read_records
from fctry.nvs.refusals import Refusals

T = TypeVar("T")
R = TypeVar("R")
NO_TIME = datetime(1970, 1, 1, tzinfo=timezone.utc)  # values of a CSV do not depend on it


class DeviceRow(NamedTuple):
    """A device's line, counted from 1, and its cells; a line may be short of the last columns."""

    line: int
    cells: tuple[str, ...]


def read_devices(values: Path) -> tuple[tuple[str, ...], list[DeviceRow]]:
    """The names of the columns, and the devices. Raises InputError with file and line."""
    columns: tuple[str, ...] = ()
    rows = []
    refusals = Refusals()
    for record in read_records(values, (), refusals):
        columns = record.columns
        rows.append(DeviceRow(record.line, tuple(record.cells.values())))
    refusals.tell()
    if not rows:
        raise InputError("no devices", hint="give one line per device", file=values)
    return columns, rows


@dataclass(frozen=True)
class Devices:
    """The devices of a CSV, `file`. `repeated` are the columns of which the first device has the value for all."""

    spec: Spec
    columns: tuple[str, ...]
    rows: Sequence[DeviceRow] = field(repr=False)  # some cells may be secrets
    file: Path
    repeated: Collection[str] = ()

    def cells(self, number: int) -> dict[str, str]:
        """Column -> cell of the device of this number, counted from 1."""
        cells = dict(zip(self.columns, self.rows[number - 1].cells, strict=False))
        if self.repeated and number > 1:
            first = dict(zip(self.columns, self.rows[0].cells, strict=False))
            cells.update({column: first[column] for column in self.repeated if column in first})
        return cells

    @property
    def is_drawn(self) -> bool:
        """Whether values come from counters or from chance: what is drawn to be looked at, is not what will be."""
        used = self.spec.used
        return bool(self.spec.counters) or any(self.spec.sources[name].is_random for name in used)

    def check(self, also: Callable[[Draft], object] = lambda draft: None) -> None:
        """Raise InputError, for all that is wrong at once: values that are none, repeated ones that differ, and devices
        that are the same or share a value that must be unique, with the lines of both. `also` raises it for more.
        """
        refusals = Refusals()
        numbers = {name: one.first for name, one in self.spec.counters.items()}
        seen: dict[tuple[str, bytes] | bytes, int] = {}
        is_drawn = self.is_drawn
        for number, row in enumerate(self.rows, 1):
            try:
                cells = self.cells(number)
                self._check_repeated(row, cells)
                draft = self._draw(row, cells, numbers)
                self._try(row, also, draft)
                self._check_values(row, draft, seen)
                if not is_drawn:
                    self._check_twins(row, draft, seen)
            except InputError as error:
                refusals.add(error)
        refusals.tell()

    def _check_repeated(self, row: DeviceRow, cells: Mapping[str, str]) -> None:
        for column in self.repeated:
            cell = dict(zip(self.columns, row.cells, strict=False)).get(column, "")
            if cell not in ("", cells[column]):
                hint = (
                    f"line {self.rows[0].line} says it for all (REPEAT): leave it empty, or take REPEAT out"
                )
                raise self._refusal(row, f"{column}: another value than that of the first device", hint)

    def _draw(self, row: DeviceRow, cells: Mapping[str, str], numbers: Mapping[str, int]) -> Draft:
        context = Context(NO_TIME, lot="LOT", line="LINE", columns=cells)
        return self._try(row, lambda counters: self.spec.draw(counters, context), numbers)

    def _try(self, row: DeviceRow, step: Callable[[T], R], value: T) -> R:
        """Let an error name this line."""
        try:
            return step(value)
        except InputError as error:
            raise self._refusal(row, error.message, error.hint) from None

    @cached_property
    def _given(self) -> tuple[Field, ...]:
        """The unique fields whose values are the file's, and not counted or drawn."""
        return tuple(one for one in self.spec.fields if one.scope and self.spec.is_given(one.source))

    def _check_values(self, row: DeviceRow, draft: Draft, seen: dict[tuple[str, bytes] | bytes, int]) -> None:
        for one in self._given:
            value = self.spec.value_of(one, draft)
            if value is None:
                continue
            other = seen.setdefault((one.scope, canonical(value)), row.line)
            if other != row.line:
                hint = f"line {other} has it too: it must be unique"
                raise self._refusal(row, f"{one.scope}: a value that another device has", hint)

    def _check_twins(self, row: DeviceRow, draft: Draft, seen: dict[tuple[str, bytes] | bytes, int]) -> None:
        content = repr(self.spec.stored(draft)).encode()
        other = seen.setdefault(blake2b(content, digest_size=16).digest(), row.line)
        if other != row.line:
            hint = f"lines {other} and {row.line} make the same image: remove one of them, or correct it"
            raise self._refusal(row, f"the same device as in line {other}", hint)

    def _refusal(self, row: DeviceRow, message: str, hint: str) -> InputError:
        return InputError(message, hint=hint, file=self.file, line=row.line)


def devices_of(spec: Spec, values: Path) -> tuple[Spec, Devices]:
    """A spec whose columns are those of a CSV, and the devices that it has, not yet tried. Raises InputError."""
    columns, rows = read_devices(values)
    for name in spec.used:
        source = spec.sources[name]
        if isinstance(source, Column) and source.column not in columns:
            hint = did_you_mean(source.column, filter(None, columns))
            raise InputError(
                f"no column {source.column!r}, which source {name} draws from", hint=hint, file=values
            )
    digest = sha256(f"{spec.sha256} ".encode() + read_file(values)).hexdigest()
    spec = replace(spec, sha256=digest)
    return spec, Devices(spec, columns, rows, values)
