"""Complete the native firmware's build folder, so that it looks as one of `idf.py build` does.

Beside `fctry.elf` it gets the application image (`fctry.bin`), the partition table's binary, `flasher_args.json` and
`config/sdkconfig.json`. Offsets come from the project's partitions.csv. There is no boot loader: the simulated board
is one.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from pathlib import Path

from fctry.boards.chip.app_image import AppDescription, pack
from fctry.errors import FctryError
from fctry.partitions import binary
from fctry.partitions.csv import read_csv

PARTITIONS = Path(__file__).parents[2] / "partitions.csv"
TABLE_OFFSET = 0x8000
TYPE_APP = 0
IDF_VERSION = "native (v6.1)"
FLASH_SETTINGS = {"flash_mode": "dio", "flash_size": "4MB", "flash_freq": "40m"}


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_bytes(data)
    temporary.replace(path)


def _write_json(path: Path, value: object) -> None:
    _write(path, (json.dumps(value, indent=4) + "\n").encode())


def _flasher_args(app_offset: int) -> dict[str, object]:
    """Source: ESP-IDF v5.5.5 components/esptool_py/flasher_args.json.in."""
    table = {
        "offset": f"{TABLE_OFFSET:#x}",
        "file": "partition_table/partition-table.bin",
        "encrypted": "false",
    }
    app = {"offset": f"{app_offset:#x}", "file": "fctry.bin", "encrypted": "false"}
    return {
        "write_flash_args": [text for name, value in FLASH_SETTINGS.items() for text in (f"--{name}", value)],
        "flash_settings": FLASH_SETTINGS,
        "flash_files": {part["offset"]: part["file"] for part in (table, app)},
        "partition-table": table,
        "app": app,
        "extra_esptool_args": {
            "after": "hard_reset",
            "before": "default_reset",
            "stub": True,
            "chip": "esp32",
        },
    }


def complete(build: Path, version: str) -> None:
    """Write everything beside `build`/fctry.elf. Raises FctryError."""
    table = read_csv(PARTITIONS)
    app_offset = next(partition.offset for partition in table if partition.type == TYPE_APP)
    digest = hashlib.sha256((build / "fctry.elf").read_bytes()).digest()
    description = AppDescription(
        project_name="fctry", version=version, idf_version=IDF_VERSION, elf_sha256=digest
    )
    _write(build / "fctry.bin", pack(description, chip="esp32"))
    _write(build / "partition_table" / "partition-table.bin", binary.pack(table))
    _write_json(
        build / "config" / "sdkconfig.json",
        {"IDF_TARGET": "esp32", "IDF_TARGET_ARCH": "xtensa", "PARTITION_TABLE_OFFSET": TABLE_OFFSET},
    )
    # Last: it is what the Makefile takes for the whole folder.
    _write_json(build / "flasher_args.json", _flasher_args(app_offset))


def main() -> int:
    """Parse the command line and complete the folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--version", required=True, help="the application's version")
    parser.add_argument("build", type=Path, help="the build folder, with fctry.elf in it")
    arguments = parser.parse_args()
    try:
        complete(arguments.build, arguments.version)
    except FctryError as error:
        print(f"error: {error}\nhint: {error.hint}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
