"""What a build flashes: flasher_args.json of an ESP-IDF build folder, and the files that it names.

Source: ESP-IDF v5.5.5 components/esptool_py/flasher_args.json.in.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fctry.errors import InputError
from fctry.files import read_file

FILE_NAME = "flasher_args.json"
TABLE_NAMES = ("partition-table", "partition_table")


@dataclass(frozen=True)
class FlashFile:
    """A file that is flashed to `offset`. `size_bytes` is None when the file is not there."""

    name: str
    offset: int
    path: Path
    size_bytes: int | None

    @property
    def end(self) -> int:
        return self.offset + (self.size_bytes or 0)


@dataclass(frozen=True)
class FlasherArgs:
    """The files of a build in the order of their offsets; `table` is the content of its partition table.

    `chip` is what it was built for, such as `esp32c3`; empty where the file does not say it.
    """

    file: str
    files: tuple[FlashFile, ...]
    flash_size_bytes: int | None
    table: bytes | None
    chip: str = ""

    def writes(self) -> list[tuple[int, bytes]]:
        """What `idf.py flash` writes: address and data of each file. Raises InputError when one cannot be read."""
        return [(file.offset, read_file(file.path)) for file in self.files]


def read_flasher_args(path: Path) -> FlasherArgs:
    """The build in the folder `path`, or that of the flasher_args.json `path`.

    Raises InputError when the file is not there or not what ESP-IDF writes.
    """
    path = path / FILE_NAME if path.is_dir() else path
    data = read_file(path, f"name a build folder, which has a {FILE_NAME}: `idf.py build` makes it")
    try:
        content = json.loads(data)
        return _of_json(path, content)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"not a {FILE_NAME}: {error}", hint="build the project again", file=path) from None


def _of_json(path: Path, content: dict[str, Any]) -> FlasherArgs:
    names = {
        entry["file"]: name for name, entry in content.items() if isinstance(entry, dict) and "file" in entry
    }
    files = []
    for offset, file in content["flash_files"].items():
        binary = path.parent / file
        size_bytes = binary.stat().st_size if binary.is_file() else None
        files.append(FlashFile(names.get(file, binary.name), int(offset, 0), binary, size_bytes))
    table = next((file for file in files if file.name in TABLE_NAMES and file.size_bytes), None)
    size = str(content.get("flash_settings", {}).get("flash_size", "")).removesuffix("MB")
    return FlasherArgs(
        file=str(path),
        files=tuple(sorted(files, key=lambda file: file.offset)),
        flash_size_bytes=int(size) << 20 if size.isdigit() else None,
        table=read_file(table.path) if table else None,
        chip=str(content.get("extra_esptool_args", {}).get("chip", "")),
    )
