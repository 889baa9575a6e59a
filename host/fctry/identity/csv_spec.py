"""Two CSVs as a spec: one with all keys, one with a line a device. Those of Espressif's mfg_gen are such.

The first has the columns `key,type,encoding,value`, or no line of names as in mfg_gen. A value in it is for all
devices that have no column for the key; `REPEAT` stands for that of the first device. The second has a column for
each key in which devices differ, named `key` or `namespace:key`; any other is for people, and kept as a note.

Source: ESP-IDF v5.5.5, docs/en/api-reference/storage/mass_mfg.rst, and tools/mass_mfg/mfg_gen.py.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from fctry.errors import InputError
from fctry.files import read_file
from fctry.identity.csv_devices import Devices, read_devices
from fctry.identity.sources.column import Column
from fctry.identity.sources.constant import Constant
from fctry.identity.sources.file import File
from fctry.identity.sources.source import Source
from fctry.identity.spec import SECRETS_NAMESPACE, Field, Spec
from fctry.nvs.csv import COLUMNS
from fctry.nvs.csv_records import Record, read_records
from fctry.nvs.refusals import Refusals

REPEAT = "REPEAT"
ROW_TYPES = ("namespace", "data", "file")


@dataclass(frozen=True)
class CsvOptions:
    """What the CSVs cannot say, by key, `namespace:key` or column."""

    unique: Collection[str] = ()
    optional: Collection[str] = ()
    secret: Collection[str] = ()
    secret_namespaces: tuple[str, ...] = (SECRETS_NAMESPACE,)


class _Key(NamedTuple):
    namespace: str
    key: str
    row_type: str
    encoding: str
    value: str
    record: Record

    @property
    def names(self) -> tuple[str, str]:
        return self.key, f"{self.namespace}:{self.key}"


def read_csv_spec(config: Path, values: Path, options: CsvOptions | None = None) -> tuple[Spec, Devices]:
    """The spec, and the devices that the second CSV has, not yet tried: see `Devices.check`.

    Raises InputError with file, line and remedy.
    """
    options = options or CsvOptions()
    keys = _read_keys(config)
    columns, rows = read_devices(values)
    sources: dict[str, Source] = {}
    fields = list(_fields(keys, columns, sources, options, config, values))
    if not any(isinstance(one, Column) for one in sources.values()):
        hint = f"name the columns as the keys of {config}: {', '.join(key.key for key in keys)}"
        raise InputError("no column is that of a key", hint=hint, file=values, line=1)
    fields += _notes(keys, columns, sources, options)
    _check_options(options, fields)
    digest = sha256(read_file(config) + b"\0" + read_file(values)).hexdigest()
    spec = Spec(config.stem, tuple(fields), sources, options.secret_namespaces, len(rows), values, digest)
    repeated = {
        column for key in keys if key.value == REPEAT and (column := _column_of(key, keys, columns, values))
    }
    return spec, Devices(spec, columns, rows, values, repeated)


def _is_record(row: Sequence[str]) -> bool:
    return len(row) > 1 and row[1] in ROW_TYPES


def _read_keys(config: Path) -> list[_Key]:
    keys: list[_Key] = []
    refusals = Refusals()
    namespace = ""
    with refusals.collected():
        for record in read_records(config, COLUMNS, refusals, is_headerless=_is_record):
            with refusals.collected():
                key, row_type, encoding, value = (record.cells.get(name, "") for name in COLUMNS)
                if row_type not in ROW_TYPES:
                    raise record.refusal(f"unknown type {row_type!r}", "types are namespace, data and file")
                if row_type == "namespace":
                    namespace = key
                elif not namespace:
                    hint = "begin with a line such as `storage,namespace,,`"
                    raise record.refusal(f"key {key!r} before any namespace", hint)
                else:
                    keys.append(_Key(namespace, key, row_type, encoding, value, record))
    refusals.tell()
    if not keys:
        raise InputError("no keys", hint="give a namespace, and a line for each of its keys", file=config)
    return keys


def _column_of(key: _Key, keys: Sequence[_Key], columns: Sequence[str], values: Path) -> str:
    """The column that has a key's values, or nothing."""
    found = [column for column in columns if column in key.names]
    if len(found) > 1:
        hint = "remove one of the columns"
        raise InputError(f"columns {' and '.join(found)} are of the same key", hint=hint, file=values, line=1)
    if found == [key.key] and sum(other.key == key.key for other in keys) > 1:
        hint = f"write `{key.namespace}:{key.key}`"
        raise InputError(f"column {key.key!r} names several keys", hint=hint, file=values, line=1)
    return found[0] if found else ""


def _fields(
    keys: Sequence[_Key],
    columns: Sequence[str],
    sources: dict[str, Source],
    options: CsvOptions,
    config: Path,
    values: Path,
) -> Iterator[Field]:
    for number, key in enumerate(keys):
        column = _column_of(key, keys, columns, values)
        name = f"key{number}"
        if column:
            sources[name] = Column(column=column)
        elif key.value in ("", REPEAT):
            if not set(key.names) & set(options.optional):
                hint = f"add a column {key.key!r}, a value in {config}, or --optional {key.key}"
                raise key.record.refusal(
                    f"no device has a value for {key.key!r}", _meant(key, keys, columns) or hint
                )
            sources[name] = Column(column=key.key)
        else:
            if meant := _meant(key, keys, columns):
                raise InputError(f"no column {key.key!r}", hint=meant, file=values, line=1)
            sources[name] = Constant(value=key.value)
        if key.row_type == "file":
            folder = values.parent if column else config.parent
            sources[f"{name}_path"] = sources[name]
            sources[name] = File(path=f"{_escaped(folder.absolute())}/{{{name}_path}}")
        is_named = [
            bool(set(key.names) & set(names)) for names in (options.unique, options.optional, options.secret)
        ]
        one = Field(
            key.namespace,
            key.key,
            key.encoding,
            name,
            scope=key.names[1] * is_named[0],
            is_optional=is_named[1],
            is_secret=is_named[2] or key.namespace in options.secret_namespaces,
            file=config,
            line=key.record.line,
        )
        one.type  # noqa: B018 raises for an unknown encoding
        yield one


def _notes(
    keys: Sequence[_Key], columns: Sequence[str], sources: dict[str, Source], options: CsvOptions
) -> Iterator[Field]:
    taken = {name for key in keys for name in key.names}
    for number, column in enumerate(columns):
        if column and column not in taken:
            sources[f"note{number}"] = Column(column=column)
            scope = column * (column in options.unique)
            is_secret = column in options.secret
            yield Field("", column, "string", f"note{number}", scope, is_secret, is_optional=True)


def _meant(key: _Key, keys: Sequence[_Key], columns: Sequence[str]) -> str:
    """A hint that names a column which is probably this key's, with a slip of the pen."""
    free = [column for column in columns if not any(column in other.names for other in keys)]
    from difflib import get_close_matches

    close = get_close_matches(key.key, free, 1, 0.8)
    return f"is it the column {close[0]!r}? Name it {key.key!r}" if close else ""


def _escaped(folder: Path) -> str:
    return str(folder).replace("{", "{{").replace("}", "}}")


def _check_options(options: CsvOptions, fields: Sequence[Field]) -> None:
    known = {name for one in fields for name in (one.key, one.name)}
    said: Mapping[str, Collection[str]] = {
        "unique": options.unique,
        "optional": options.optional,
        "secret": options.secret,
    }
    for option, names in said.items():
        for name in names:
            if name not in known:
                hint = "there are: " + ", ".join(sorted(known))
                raise InputError(f"--{option} {name}: neither a key nor a column", hint=hint)
