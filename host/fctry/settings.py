"""A project's settings: `[tool.fctry]` of its pyproject.toml, or its fctry.toml, so that nobody types them twice.

partition = "fctry"
table-offset = 0xC000
flash-size = "4MB"
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from fctry.errors import InputError
from fctry.files import read_file
from fctry.partitions.keywords import parse_idf
from fctry.partitions.sdkconfig import tables_named_in
from fctry.partitions.sizes import parse_size
from fctry.project import PARTITIONS_FILE, Settings

FILES: Mapping[str, tuple[str, ...]] = {"fctry.toml": (), "pyproject.toml": ("tool", "fctry")}
"""Where settings may be, and in which table of the file."""


def find_settings(table: Path | None = None, *, folder: Path = Path()) -> Settings:
    """What the project says of itself.

    Without a `table`, it is the nearest from `folder` upwards that has settings or a table, up to the root of its
    repository; the table is the one that its sdkconfig or platformio.ini names, else partitions.csv. With one, only
    settings beside the table count. Raises InputError for settings that are wrong, and when several tables are named.
    """
    if table:
        return _settings_in(table.parent, table) or Settings(table)
    absolute = folder.absolute()
    for steps, place in enumerate((absolute, *absolute.parents)):
        shown = place if folder.is_absolute() else folder / Path(*[".."] * steps)
        if settings := _settings_in(shown):
            return settings
        if table := _table_in(shown):
            return Settings(table, sdkconfig=_sdkconfig_of(table, shown))
        if (place / ".git").exists():
            break
    return Settings(folder / PARTITIONS_FILE)


def _settings_in(folder: Path, table: Path | None = None) -> Settings | None:
    for name, keys in FILES.items():
        file = folder / name
        if not file.is_file():
            continue
        if sys.version_info >= (3, 11):  # here, for most tables have no such file beside them
            import tomllib
        else:
            import tomli as tomllib
        try:
            said: Any = tomllib.loads(read_file(file).decode())
        except (
            ValueError,
            RecursionError,
        ) as error:  # TOMLDecodeError, UnicodeDecodeError, arrays within arrays
            raise InputError(f"not TOML: {error}", hint="correct it, or move it away", file=file) from None
        for key in keys:
            said = said.get(key) if isinstance(said, dict) else None
        if isinstance(said, dict):
            return _settings(file, said, table)
    return None


def _table_in(folder: Path) -> Path | None:
    named = tables_named_in(folder)
    if len(named) > 1:
        hint = f"choose one: --partitions, or `partitions` in {folder / 'fctry.toml'}"
        raise InputError(f"the project has several tables: {', '.join(map(str, named))}", hint=hint)
    default = folder / PARTITIONS_FILE
    return named[0] if named else default if default.is_file() else None


def _sdkconfig_of(table: Path, folder: Path) -> Path | None:
    """The sdkconfig of a project whose table is in a folder of its own; of others it is beside the table."""
    beside = [folder / name for name in ("sdkconfig", "sdkconfig.defaults")]
    return next(filter(Path.is_file, beside), None) if table.parent != folder else None


def _settings(file: Path, said: Mapping[str, Any], table: Path | None) -> Settings:
    read: dict[str, Any] = {}
    for key, value in said.items():
        name, kind = KINDS.get(key, ("", None))
        if kind is None:
            raise InputError(f"unknown setting `{key}`", hint="there are " + ", ".join(KINDS), file=file)
        try:
            read[name] = file.parent / _text(value) if kind is Path else kind(value)
        except (TypeError, ValueError) as error:
            raise InputError(f"`{key}`: {error}", hint="correct the value", file=file) from None
    if table or "partitions" not in read:
        read["partitions"] = table or _table_in(file.parent) or file.parent / PARTITIONS_FILE
    read.setdefault("sdkconfig", _sdkconfig_of(read["partitions"], file.parent))
    return Settings(**read)


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError("not a text")
    return value


def _size(value: object) -> int:
    return parse_size(str(value) if type(value) is int else _text(value))


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError("neither true nor false")
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError("not a list of texts")
    return tuple(map(_text, value))


def _slots(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise TypeError("not a table of names and ports")
    return {name: _text(place) for name, place in value.items()}


def _secure_boot(value: object) -> str:
    if value not in ("v1", "v2"):
        raise ValueError("there are v1 and v2")
    return str(value)


def _seal(value: object) -> str:
    if value not in ("key", "efuse"):
        raise ValueError("there are key and efuse")
    return str(value)


_SPELLED: Mapping[str, Callable[[Any], Any]] = {
    "partitions": Path,
    "partition": _text,
    "chip": _text,
    "sdkconfig": Path,
    "build": Path,
    "table_offset": _size,
    "flash_size_bytes": _size,
    "idf": lambda value: parse_idf(_text(value)),
    "secure_boot": _secure_boot,
    "md5": _truth,
    "recovery_bootloader_offset": _size,
    "extra_subtypes": _texts,
    "secret_namespaces": _texts,
    "slots": _slots,
    "seal": _seal,
}
assert set(_SPELLED) == {field.name for field in fields(Settings)}
KINDS = {name.removesuffix("_bytes").replace("_", "-"): (name, kind) for name, kind in _SPELLED.items()}
"""Setting -> the field of `Settings`, and what makes its value."""
