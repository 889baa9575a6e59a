"""The devices of a CSV with a line for each: read, and held against their spec before the first image."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from functools import cached_property
from hashlib import blake2b, sha256
from pathlib import Path
from typing import NamedTuple, overload

from fctry.errors import InputError
from fctry.files import read_file
from fctry.identity.batch_folder import folded
from fctry.identity.draft import Context, Draft
from fctry.identity.sources.column import Column
from fctry.identity.spec import Field, Spec, canonical
from fctry.identity.spec_options import did_you_mean
from fctry.nvs.csv_records import read_records
from fctry.nvs.item import Value
from fctry.nvs.refusals import Refusals

Seen = dict[tuple[str, bytes] | bytes | int, int]
"""Lines by what no other device may have: a value, an image, the hash of a file's name."""
_SEPARATOR = "\x1f"  # between the cells of a line
NO_TIME = datetime(1970, 1, 1, tzinfo=timezone.utc)  # values of a CSV do not depend on it


class DeviceRow(NamedTuple):
    """A device's line, counted from 1, and its cells; a line may be short of the last columns."""

    line: int
    cells: tuple[str, ...]


class Look(NamedTuple):
    """What no other device may have: the name of its file, unique values, and a hash of all that its image is made of.

    The hash is empty where images may be alike.
    """

    name: str
    values: tuple[tuple[str, bytes], ...]
    twin: bytes


class Drawn(NamedTuple):
    """A device as its line makes it, and its image, in parts."""

    draft: Draft
    look: Look
    image: Sequence[bytes]


class Rows(Sequence[DeviceRow]):
    """The lines of devices, in a third of the memory: each process that looks at them has them once more."""

    def __init__(self) -> None:
        self._lines = array("L")
        self._cells: list[str | tuple[str, ...]] = []

    def append(self, row: DeviceRow) -> None:
        self._lines.append(row.line)
        text = _SEPARATOR.join(row.cells)
        self._cells.append(text if text.count(_SEPARATOR) == len(row.cells) - 1 else row.cells)

    def __len__(self) -> int:
        return len(self._cells)

    @overload
    def __getitem__(self, index: int) -> DeviceRow: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[DeviceRow]: ...

    def __getitem__(self, index: int | slice) -> DeviceRow | Sequence[DeviceRow]:
        if isinstance(index, slice):
            return [self[one] for one in range(*index.indices(len(self)))]
        cells = self._cells[index]
        return DeviceRow(
            self._lines[index], cells if isinstance(cells, tuple) else tuple(cells.split(_SEPARATOR))
        )


def read_devices(values: Path) -> tuple[tuple[str, ...], Rows]:
    """The names of the columns, and the devices. Raises InputError with file and line."""
    columns: tuple[str, ...] = ()
    rows = Rows()
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

    @cached_property
    def is_drawn(self) -> bool:
        """Whether values come from counters or from chance: what is drawn to be looked at, is not what will be."""
        used = self.spec.used
        return bool(self.spec.counters) or any(self.spec.sources[name].is_random for name in used)

    def draw(
        self, number: int, context: Context, make: Callable[[Draft], tuple[str, Sequence[bytes]]]
    ) -> Drawn:
        """The device of this number, counted from 1. Raises InputError for its line.

        `make` gives the name of its file and its image, and raises InputError for those that cannot be.
        """
        row = self.rows[number - 1]
        if self.repeated:
            self._check_repeated(row, context.columns)
        try:
            draft = self.spec.draw(self._numbers, context)
            name, image = make(draft)
        except InputError as error:
            raise self._refusal(row, error.message, error.hint) from None
        values = tuple(
            [(scope, canonical(value)) for scope, value in self._unique(draft) if value is not None]
            if self._given
            else ()
        )
        content = repr(self.spec.stored(draft)).encode()
        twin = b"" if self.is_drawn else blake2b(content, digest_size=16).digest()
        return Drawn(draft, Look(name, values, twin), image)

    def check(self, looks: Iterable[Look | InputError] | None = None) -> None:
        """Raise InputError, for all that is wrong at once: values that are none, repeated ones that differ, and devices
        that are the same or share a value that must be unique, with the lines of both.

        `looks` are those of the devices in order, or why one is none.
        """
        refusals = Refusals()
        seen: Seen = {}
        looks = looks or map(self._look, range(1, len(self.rows) + 1))
        for row, look in zip(self.rows, looks, strict=True):
            try:
                if isinstance(look, InputError):
                    raise look
                self._check_values(row, look, seen)
                if not self.is_drawn:
                    self._check_name(row, look, seen)
                    self._check_twins(row, look, seen)
            except InputError as error:
                refusals.add(error)
        refusals.tell()

    def _look(self, number: int) -> Look | InputError:
        context = Context(NO_TIME, lot="LOT", line="LINE", columns=self.cells(number))
        try:
            return self.draw(number, context, lambda draft: ("", ())).look
        except InputError as error:
            return error

    def _check_repeated(self, row: DeviceRow, cells: Mapping[str, str]) -> None:
        for column in self.repeated:
            cell = dict(zip(self.columns, row.cells, strict=False)).get(column, "")
            if cell not in ("", cells.get(column, "")):
                hint = (
                    f"line {self.rows[0].line} says it for all (REPEAT): leave it empty, or take REPEAT out"
                )
                raise self._refusal(row, f"{column}: another value than that of the first device", hint)

    @cached_property
    def _numbers(self) -> Mapping[str, int]:
        return {name: one.first for name, one in self.spec.counters.items()}

    @cached_property
    def _given(self) -> tuple[Field, ...]:
        """The unique fields whose values are the file's, and not counted or drawn."""
        return tuple(one for one in self.spec.fields if one.scope and self.spec.is_given(one.source))

    def _unique(self, draft: Draft) -> Iterator[tuple[str, Value | None]]:
        return ((one.scope, self.spec.value_of(one, draft)) for one in self._given)

    def _check_name(self, row: DeviceRow, look: Look, seen: Seen) -> None:
        if look.name and seen.setdefault(hash(folded(look.name)), row.line) != row.line:
            hint = "name the files by a field that is unique, without regard to upper and lower case"
            raise self._refusal(row, f"another device has the file {look.name!r}, too", hint)

    def _check_values(self, row: DeviceRow, look: Look, seen: Seen) -> None:
        for scope, value in look.values:
            other = seen.setdefault((scope, value), row.line)
            if other != row.line:
                hint = f"line {other} has it too: it must be unique"
                raise self._refusal(row, f"{scope}: a value that another device has", hint)

    def _check_twins(self, row: DeviceRow, look: Look, seen: Seen) -> None:
        other = seen.setdefault(look.twin, row.line)
        if other != row.line:
            hint = f"lines {other} and {row.line} make the same image: remove one of them, or correct it"
            raise self._refusal(row, f"the same device as in line {other}", hint)

    def _refusal(self, row: DeviceRow, message: str, hint: str) -> InputError:
        return InputError(message, hint=hint, file=self.file, line=row.line)


def devices_of(spec: Spec, values: Path) -> tuple[Spec, Devices]:
    """A spec whose columns are those of a CSV, and the devices that it has, not yet tried. Raises InputError."""
    columns, rows = read_devices(values)
    drawn = [(name, one.column) for name in spec.used if isinstance(one := spec.sources[name], Column)]
    if not drawn:
        hint = f'give it a source with `kind = "column"`, or leave the CSV out: --count {len(rows)}'
        raise InputError("the spec draws from no column", hint=hint, file=values, line=1)
    for name, column in drawn:
        if column not in columns:
            hint = did_you_mean(column, filter(None, columns))
            raise InputError(f"no column {column!r}, which source {name} draws from", hint=hint, file=values)
    digest = sha256(f"{spec.sha256} ".encode() + read_file(values)).hexdigest()
    spec = replace(spec, sha256=digest)
    return spec, Devices(spec, columns, rows, values)
