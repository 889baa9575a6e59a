"""Where a key stands in a TOML file, which its parser does not tell: for errors that name the line."""

from __future__ import annotations

import re
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

from fctry.errors import InputError
from fctry.files import read_file

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

HEADER = re.compile(r"\s*\[\[?(.+?)\]\]?\s*(#.*)?$")
ASSIGNMENT = re.compile(r"\s*((?:[\w-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*(?:[\w-]+|\"[^\"]*\"|'[^']*'))*)\s*=")
PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


class TomlLines:
    """The lines of a TOML file by the paths of its keys: `("fields", "ns", "key")` -> 12, counted from 1."""

    def __init__(self, file: Path, text: str) -> None:
        self.file = file
        self.sha256 = sha256(text.encode()).hexdigest()
        self._lines: dict[tuple[str, ...], int] = {}
        table: tuple[str, ...] = ()
        for number, line in enumerate(text.splitlines(), 1):
            if found := HEADER.match(line):
                table = _names(found[1])
                path = table
            elif found := ASSIGNMENT.match(line):
                path = table + _names(found[1])
            else:
                continue
            for length in range(1, len(path) + 1):
                self._lines.setdefault(path[:length], number)

    def line_of(self, path: tuple[str, ...]) -> int | None:
        """The line of a key or a table, or of the table around one that is written in a way not looked for."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path)


def _names(dotted: str) -> tuple[str, ...]:
    """The names in `a.'b.c'.d`."""
    names: list[str] = []
    try:
        value: Any = tomllib.loads(f"{dotted} = 0")
    except tomllib.TOMLDecodeError:  # within a string of several lines
        return ()
    while isinstance(value, dict):
        name, value = next(iter(value.items()))
        names.append(name)
    return tuple(names)


def read_toml(path: Path) -> tuple[dict[str, Any], TomlLines]:
    """The content of a TOML file, and where in it what is. Raises InputError with file and line."""
    try:
        text = read_file(path).decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise InputError("not UTF-8", hint="save the file as UTF-8", file=path) from None
    try:
        return tomllib.loads(text), TomlLines(path, text)
    except (
        ValueError,
        RecursionError,
    ) as error:  # TOMLDecodeError, a number of 5,000 digits, arrays within arrays
        found = PLACE.search(str(error))
        line = int(found[1]) if found and found[1] else None
        message = f"not TOML: {PLACE.sub('', str(error))}"
        raise InputError(
            message, hint='strings stand in quotes: key = "text"', file=path, line=line
        ) from None
