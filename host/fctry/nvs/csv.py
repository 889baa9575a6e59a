"""The CSV that nvs_partition_gen takes: ``key,type,encoding,value``.

Source: ESP-IDF v5.5.5, docs/en/api-reference/storage/nvs_partition_gen.rst, and esp-idf-nvs-partition-gen 0.3.0.

Types: ``namespace`` (all keys below are in it), ``data`` (the value is in the CSV), ``file`` (the value is a path,
relative to the CSV). Lines that begin with # are comments, but not within a quoted value.
"""

from __future__ import annotations

import base64
import binascii
import csv
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fctry.errors import InputError
from fctry.nvs.item import NUMBERS, Item, ItemType, Value, pack_name, pack_value

COLUMNS = ("key", "type", "encoding", "value")
NUMBER_ENCODINGS = {item_type.value: item_type for item_type in NUMBERS}
BYTES_ENCODINGS = ("hex2bin", "base64", "binary")
FILL_ENCODING = re.compile(r"blob_(sz_)?fill\((\d{1,6});0x([0-9a-f]{2})\)")
INTEGER = re.compile(r"[+-]?(0x[0-9a-f]+|[0-9]+)", re.IGNORECASE)
ENCODINGS_TEXT = ", ".join(
    [*NUMBER_ENCODINGS, "string", *BYTES_ENCODINGS, "blob_fill(N;0xPP), blob_sz_fill(N;0xPP)"]
)


@dataclass(frozen=True)
class Sheet:
    """What a CSV says: its items, and its namespaces in order, also those without items."""

    items: tuple[Item, ...]
    namespaces: tuple[str, ...]


@dataclass(frozen=True)
class _Row:
    """A line of the CSV, or several when a quoted value spans them."""

    file: Path
    line: int
    key: str
    type: str
    encoding: str
    value: str

    def refusal(self, message: str, hint: str) -> InputError:
        return InputError(message, hint=hint, file=self.file, line=self.line)


def read_csv(path: str | Path) -> list[Item]:
    """The items of a CSV. Raises InputError with file, line and remedy."""
    return list(read_sheet(path).items)


def read_sheet(path: str | Path) -> Sheet:
    """The items and the namespaces of a CSV. Raises InputError with file, line and remedy."""
    path = Path(path)
    items: list[Item] = []
    namespaces: dict[str, None] = {}
    namespace = None
    for row in _rows(path):
        if row.type == "namespace":
            pack_name(row.key, "namespace", file=path, line=row.line)
            namespace = row.key
            namespaces[namespace] = None
        elif row.type not in ("data", "file"):
            raise row.refusal(f"unknown type {row.type!r}", "types are namespace, data and file")
        elif namespace is None:
            raise row.refusal(
                f"key {row.key!r} before any namespace", "begin with a line such as `storage,namespace,,`"
            )
        else:
            items.append(_item(row, namespace))
    return Sheet(tuple(items), tuple(namespaces))


def _item(row: _Row, namespace: str) -> Item:
    pack_name(row.key, "key", file=row.file, line=row.line)
    content = _content(row)
    try:
        item_type, value = _decode(row.encoding.lower(), content)
    except (ValueError, binascii.Error) as error:
        raise row.refusal(
            f"key {row.key!r}: {error}", f"correct the value, or its encoding {row.encoding!r}"
        ) from None
    except LookupError:
        raise row.refusal(f"unknown encoding {row.encoding!r}", f"encodings are {ENCODINGS_TEXT}") from None
    item = Item(namespace, row.key, item_type, value, file=row.file, line=row.line)
    pack_value(item)
    return item


def _content(row: _Row) -> bytes:
    """The value as bytes: those of the file, or the cell in UTF-8."""
    if row.type == "data":
        return row.value.encode()
    path = row.file.parent / row.value
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a path"
        raise row.refusal(
            f"key {row.key!r}: cannot read {row.value!r}: {reason}", "paths are relative to the CSV"
        ) from None


def _decode(encoding: str, content: bytes) -> tuple[ItemType, Value]:
    """Type and value. Raises ValueError for content that the encoding does not allow, LookupError for no encoding.

    No message tells the content: it may be a secret.
    """
    if encoding in NUMBER_ENCODINGS:
        item_type = NUMBER_ENCODINGS[encoding]
        parse = float if item_type in (ItemType.FLOAT, ItemType.DOUBLE) else _integer
        return item_type, _number(parse, content)
    if encoding == "string":
        return ItemType.STR, _text(content)
    fill = FILL_ENCODING.fullmatch(encoding)
    if fill:
        return ItemType.BLOB, _filled(content, bool(fill[1]), int(fill[2]), int(fill[3], 16))
    if encoding not in BYTES_ENCODINGS:
        raise LookupError
    if encoding == "hex2bin":
        return ItemType.BLOB, _hex(content)
    if encoding == "base64":
        return ItemType.BLOB, base64.b64decode(b"".join(content.split()), validate=True)
    return ItemType.BLOB, content


def _number(parse: Callable[[str], Value], content: bytes) -> Value:
    try:
        return parse(content.decode().strip())
    except ValueError:
        raise ValueError("not a number") from None


def _integer(text: str) -> int:
    """Decimal or, which the generator refuses, hexadecimal."""
    match = INTEGER.fullmatch(text)
    if not match:
        raise ValueError
    return int(text, 16) if match[1][:2] in ("0x", "0X") else int(text)


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise ValueError("not UTF-8 text") from None


def _hex(content: bytes) -> bytes:
    digits = content.strip()
    if len(digits) % 2:
        raise ValueError("odd number of hex digits")
    try:
        return binascii.unhexlify(digits)
    except binascii.Error:
        raise ValueError("not hex digits") from None


def _filled(content: bytes, has_size: bool, size_bytes: int, pad: int) -> bytes:
    """The undocumented fills: the content padded to a size; for ``sz``, its length in 4 bytes goes before it."""
    if len(content) > size_bytes:
        raise ValueError(f"{len(content)} bytes, more than the {size_bytes} to fill")
    padded = content.ljust(size_bytes, bytes([pad]))
    return len(content).to_bytes(4, "little") + padded if has_size else padded


def _rows(path: Path) -> Iterator[_Row]:
    try:
        with path.open(encoding="utf-8-sig") as file:
            yield from _parse(path, file)
    except OSError as error:
        raise InputError(f"cannot read: {error.strerror}", hint="check the path", file=path) from None
    except UnicodeDecodeError:
        raise InputError("not UTF-8", hint="save the CSV as UTF-8", file=path) from None


def _parse(path: Path, text: Iterable[str]) -> Iterator[_Row]:
    lines = _Lines(text)
    records = csv.reader(lines, strict=True)
    columns: list[str] | None = None
    while True:
        lines.start_record()
        try:
            record = next(records, None)
        except csv.Error as error:
            raise InputError(
                f"not CSV: {error}", hint="check the quotes", file=path, line=lines.first or lines.number
            ) from None
        if record is None:
            break
        if not record:
            continue
        if columns is None:
            columns = _check_columns(path, lines.first, record)
        else:
            yield _row(path, lines.first, columns, record)
    if columns is None:
        raise InputError("empty", hint=f"begin with the line `{','.join(COLUMNS)}`", file=path)


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


def _check_columns(path: Path, line: int, names: list[str]) -> list[str]:
    header = ",".join(COLUMNS)
    for name in COLUMNS:
        if names.count(name) != 1:
            problem = "missing" if name not in names else "twice"
            raise InputError(
                f"column {name!r} is {problem}; found {','.join(names)!r}",
                hint=f"the first line must be `{header}`, without spaces",
                file=path,
                line=line,
            )
    return names


def _row(path: Path, line: int, columns: list[str], record: list[str]) -> _Row:
    if len(record) > len(columns):
        raise InputError(
            f"{len(record)} values for {len(columns)} columns",
            hint="put a value with a comma in double quotes",
            file=path,
            line=line,
        )
    cells = dict(zip(columns, record, strict=False))
    if cells.get("type") == "namespace":
        cells = {"encoding": "", "value": "", **cells}
    missing = [name for name in COLUMNS if name not in cells]
    if missing:
        raise InputError(f"no {missing[0]}", hint=f"each line has {','.join(COLUMNS)}", file=path, line=line)
    return _Row(path, line, *(cells[name] for name in COLUMNS))
