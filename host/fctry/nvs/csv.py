"""The CSV that nvs_partition_gen takes, `key,type,encoding,value`: reading it, and writing one.

Source: ESP-IDF v5.5.5, docs/en/api-reference/storage/nvs_partition_gen.rst, and esp-idf-nvs-partition-gen 0.3.0.

Types: `namespace` (all keys below are in it), `data` (the value is in the CSV), `file` (the value is a path,
relative to the CSV).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from fctry.errors import InputError
from fctry.nvs.csv_records import Record, read_records
from fctry.nvs.encodings import ENCODINGS_TEXT, parse_value
from fctry.nvs.item import Item, Value, pack_name, pack_value
from fctry.nvs.refusals import Refusals

COLUMNS = ("key", "type", "encoding", "value")
CELL_SIZE_BYTES_MAX = 60_000  # of a blob as hex digits; CSV readers refuse cells of more than 128 KiB


@dataclass(frozen=True)
class Sheet:
    """What a CSV says: its items, how the value of each is encoded, and its namespaces, also those without items.

    `files` are all that were read.
    """

    items: tuple[Item, ...]
    encodings: tuple[str, ...]
    namespaces: tuple[str, ...]
    files: tuple[Path, ...] = ()


def read_csv(path: str | Path) -> list[Item]:
    """The items of a CSV. Raises InputError with file, line and remedy."""
    return list(read_sheet(path).items)


def read_sheet(*paths: str | Path) -> Sheet:
    """What one or several CSVs say, one after the other. Raises InputError with file, line and remedy, for all
    that is wrong at once.
    """
    items: list[Item] = []
    encodings: list[str] = []
    namespaces: dict[str, None] = {}
    files = [*map(Path, paths)]
    refusals = Refusals()
    for path in tuple(files):
        namespace: str | None = None
        with refusals.collected():
            for record in read_records(path, COLUMNS, refusals):
                with refusals.collected():
                    key, row_type, encoding, value = _cells(record)
                    if row_type == "namespace":
                        namespace = key
                        pack_name(key, "namespace", file=path, line=record.line)
                        namespaces[key] = None
                    else:
                        if row_type == "file":
                            files.append(path.parent / value)
                        items.append(_item(record, namespace, key, row_type, encoding, value))
                        encodings.append(encoding)
    refusals.tell()
    return Sheet(tuple(items), tuple(encodings), tuple(namespaces), tuple(files))


def _cells(record: Record) -> tuple[str, str, str, str]:
    cells = record.cells
    if cells.get("type") == "namespace":
        cells = {"encoding": "", "value": "", **cells}
    for name in COLUMNS:
        if name not in cells:
            raise record.refusal(f"no {name}", f"each line has {','.join(COLUMNS)}")
    return cells["key"], cells["type"], cells["encoding"], cells["value"]


def _read(record: Record, key: str, value: str) -> bytes:
    path = record.file.parent / value
    try:
        if not path.exists() or path.is_file():
            return path.read_bytes()
        reason = "it is no file"
    except (OSError, ValueError) as error:
        reason = str(error.strerror) if isinstance(error, OSError) else "not a path"
    message = f"key {key!r}: cannot read {value!r}: {reason}"
    raise record.refusal(message, "paths are relative to the CSV")


def _item(record: Record, namespace: str | None, key: str, row_type: str, encoding: str, cell: str) -> Item:
    if row_type not in ("data", "file"):
        raise record.refusal(f"unknown type {row_type!r}", "types are namespace, data and file")
    if namespace is None:
        hint = "begin with a line such as `storage,namespace,,`"
        raise record.refusal(f"key {key!r} before any namespace", hint)
    content = cell.encode() if row_type == "data" else _read(record, key, cell)
    pack_name(key, "key", file=record.file, line=record.line)
    try:
        item_type, value = parse_value(encoding, content)
    except LookupError:
        raise record.refusal(f"unknown encoding {encoding!r}", f"encodings are {ENCODINGS_TEXT}") from None
    except ValueError as error:
        hint = f"correct the value, or its encoding {encoding!r}"
        raise record.refusal(f"key {key!r}: {error}", hint) from None
    item = Item(namespace, key, item_type, value, file=record.file, line=record.line)
    pack_value(item)
    return item


def format_csv(
    items: Iterable[Item], namespaces: Iterable[str] = (), stem: str = ""
) -> tuple[str, dict[str, bytes]]:
    """A CSV that builds the same items, and the files that it refers to: name -> content.

    Values that no cell can hold (large blobs, strings with carriage returns) go to files `STEM-1.bin` and so on.
    Raises InputError for names and strings that are not UTF-8, which no CSV can hold.
    """
    rows: list[tuple[str, str, str, str]] = []
    files: dict[str, bytes] = {}
    current = None
    missing = dict.fromkeys(namespaces)
    for item in items:
        for name in _up_to(item.namespace, missing):
            rows.append((name, "namespace", "", ""))
            current = name
        if item.namespace != current:
            rows.append((item.namespace, "namespace", "", ""))
            current = item.namespace
        encoding, cell, content = _encoded(item)
        if cell is None:
            cell = f"{stem}-{len(files) + 1}.bin"
            files[cell] = content
            rows.append((item.key, "file", encoding, cell))
        else:
            rows.append((item.key, "data", encoding, cell))
    rows += [(name, "namespace", "", "") for name in missing]
    return _format(rows), files


def _up_to(namespace: str, missing: dict[str, None]) -> list[str]:
    """Take out of `missing` the names up to this one, if it is there: that is the order they are numbered in."""
    if namespace not in missing:
        return []
    names = list(missing)[: list(missing).index(namespace) + 1]
    for name in names:
        del missing[name]
    return names


def _encoded(item: Item) -> tuple[str, str | None, bytes]:
    """Encoding, and the cell if the value fits into one, and the content of a file in its place."""
    value: Value = item.value
    if isinstance(value, bytes):
        return ("binary", None, value) if len(value) > CELL_SIZE_BYTES_MAX else ("hex2bin", value.hex(), b"")
    if not isinstance(value, str):
        return item.type.value, repr(value), b""
    try:
        content = value.encode()
    except UnicodeEncodeError:
        raise item.refusal(f"key {item.key!r}: string that is not UTF-8", "no CSV can hold it") from None
    return ("string", None, content) if "\r" in value else ("string", value, b"")


def _format(rows: Iterable[tuple[str, str, str, str]]) -> str:
    text = io.StringIO()
    plain = csv.writer(text, lineterminator="\n")
    quoted = csv.writer(
        text, lineterminator="\n", quoting=csv.QUOTE_ALL
    )  # a # at the start would be a comment
    plain.writerow(COLUMNS)
    for row in rows:
        name = row[0]
        if "\r" in name or name != name.encode(errors="replace").decode():
            raise InputError(f"name {name!r} has characters that no CSV can hold", hint="rename it")
        (quoted if name.startswith("#") else plain).writerow(row)
    return text.getvalue()
