"""What a project's CMake files say about its partition table: subtypes of its own.

Source: ESP-IDF v5.5.5 components/partition_table/project_include.cmake, tools/cmake/project.cmake.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

FILES = ("CMakeLists.txt", "project_include.cmake", "main/*", "components/*/*")
PROPERTY = re.compile(r'^[^#\n]*?\bEXTRA_PARTITION_SUBTYPES\s+((?:"[^"]*"\s*)+)', re.MULTILINE)
QUOTED = re.compile(r'"([^"]*)"')


def extra_subtypes_in(folder: Path) -> tuple[str, ...]:
    """The lines `type, subtype, value` that are added to the property EXTRA_PARTITION_SUBTYPES, each once."""
    found = (
        line for path in _files_in(folder) for line in _lines_of(path.read_text("utf-8", errors="replace"))
    )
    return tuple(dict.fromkeys(found))


def _files_in(folder: Path) -> Iterator[Path]:
    for pattern in FILES:
        for path in sorted(folder.glob(pattern)):
            if path.name in FILES and path.is_file():
                yield path


def _lines_of(text: str) -> Iterator[str]:
    for values in PROPERTY.findall(text):
        for value in QUOTED.findall(values):
            yield from filter(None, map(str.strip, value.split(";")))
