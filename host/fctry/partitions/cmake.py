"""What a project's CMake files say about its partition table: subtypes of its own.

Source: ESP-IDF v5.5.5 components/partition_table/project_include.cmake, tools/cmake/project.cmake.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from fctry.files import read_file

FILES = ("CMakeLists.txt", "project_include.cmake", "main/*", "components/*/*")
NAME = "EXTRA_PARTITION_SUBTYPES"
PROPERTY = rf'(?m)^[^#\n]*?\b{NAME}\s+((?:"[^"]*"\s*)+)'  # compiled for the few projects that have it
QUOTED = r'"([^"]*)"'


def extra_subtypes_in(folder: Path) -> tuple[str, ...]:
    """The lines `type, subtype, value` that are added to the property EXTRA_PARTITION_SUBTYPES, each once.

    Raises InputError for a file that cannot be read.
    """
    texts = (read_file(path).decode("utf-8", "replace") for path in _files_in(folder))
    found = (line for text in texts for line in _lines_of(text))
    return tuple(dict.fromkeys(found))


def _files_in(folder: Path) -> Iterator[Path]:
    for pattern in FILES:
        for path in sorted(folder.glob(pattern)):
            if path.name in FILES and path.is_file():
                yield path


def _lines_of(text: str) -> Iterator[str]:
    for values in re.findall(PROPERTY, text) if NAME in text else ():
        for value in re.findall(QUOTED, values):
            yield from filter(None, map(str.strip, value.split(";")))
