"""A build folder of firmware that is a program of this machine, made to look as one of `idf.py build` does.

Beside the ELF it gets the application image, the partition table's binary, `flasher_args.json` and
`config/sdkconfig.json`. There is no boot loader: the simulated board is one.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from fctry.boards.chip.app_image import AppDescription, pack
from fctry.errors import InputError
from fctry.files import write_file
from fctry.partitions import binary
from fctry.partitions.table import APP, PartitionTable

FLASH_SETTINGS = {"flash_mode": "dio", "flash_freq": "40m"}


def complete(
    build: Path, program: AppDescription, table: PartitionTable, chip: str, flash_bytes: int
) -> None:
    """Write everything beside the ELF of the folder `build`, which has the program's name.

    Raises InputError for a table without an application.
    """
    app = next((partition for partition in table if partition.type == APP), None)
    if app is None:
        raise InputError("the table has no partition for an application", hint="add one", file=table.file)
    name = program.project_name
    files = {table.offset: "partition_table/partition-table.bin", app.offset: f"{name}.bin"}
    (build / "partition_table").mkdir(exist_ok=True)
    (build / "config").mkdir(exist_ok=True)
    write_file(build / files[app.offset], pack(program, chip=chip))
    write_file(build / files[table.offset], binary.pack(table))
    sdkconfig = {"IDF_TARGET": chip, "PARTITION_TABLE_OFFSET": table.offset}
    write_file(build / "config" / "sdkconfig.json", _json(sdkconfig))
    flasher_args = _flasher_args(files, table.offset, app.offset, chip, f"{flash_bytes >> 20}MB")
    write_file(
        build / "flasher_args.json", _json(flasher_args)
    )  # the last, as a sign that the folder is whole


def describe(elf: Path, *, version: str, idf_version: str) -> AppDescription:
    """What the application image says of the ELF, after which it is named."""
    return AppDescription(elf.stem, version, idf_version, hashlib.sha256(elf.read_bytes()).digest())


def _flasher_args(
    files: dict[int, str], table: int, app: int, chip: str, flash_size: str
) -> dict[str, object]:
    """Source: ESP-IDF v5.5.5 components/esptool_py/flasher_args.json.in."""
    settings = {**FLASH_SETTINGS, "flash_size": flash_size}
    parts = {
        name: {"offset": f"{offset:#x}", "file": files[offset], "encrypted": "false"}
        for name, offset in (("partition-table", table), ("app", app))
    }
    return {
        "write_flash_args": [text for name, value in settings.items() for text in (f"--{name}", value)],
        "flash_settings": settings,
        "flash_files": {f"{offset:#x}": file for offset, file in files.items()},
        **parts,
        "extra_esptool_args": {
            "after": "hard_reset",
            "before": "default_reset",
            "stub": True,
            "chip": chip,
        },
    }


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=4) + "\n").encode()
