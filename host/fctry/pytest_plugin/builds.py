"""Builds of firmware by ESP-IDF: found, or made if an ESP-IDF is there."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from filelock import FileLock

from fctry.errors import InputError
from fctry.partitions.flasher_args import FILE_NAME, read_flasher_args

FLASH_BYTES = 4 << 20  # of the linux target
DESCRIPTION_OFFSET = 0x20  # behind the headers of image and first segment
DESCRIPTION_BYTES = 0x100


def find(app_path: Path, build_dir: str | None, board: str, target: str) -> Path:
    """The build folder for a board: the one that was named, else `build` or `build_TARGET`, built if need be.

    Raises InputError when there is none.
    """
    if board == "native":
        build = app_path / (build_dir or "build")
        if not (build / FILE_NAME).is_file():
            raise InputError(
                "no build in it", hint="without --app-path, the reference firmware is built", file=build
            )
        return build
    target = "linux" if board == "linux" else target
    build = _find(app_path, build_dir, target)
    return _as_flashable(build) if board == "linux" else build


def name_of(build: Path) -> str:
    """The name of the application that a build folder flashes. Raises InputError."""
    from fctry.boards.chip.app_image import AppDescription

    app = next((file for file in read_flasher_args(build).files if file.name == "app"), None)
    if app is None:
        raise InputError("no application in the build", hint="build the project again", file=build)
    data = app.path.read_bytes()[DESCRIPTION_OFFSET : DESCRIPTION_OFFSET + DESCRIPTION_BYTES]
    return AppDescription.unpack(data).project_name


def _find(app_path: Path, build_dir: str | None, target: str) -> Path:
    own = app_path / f"build_{target}"
    candidates = [app_path / build_dir] if build_dir else [app_path / "build", own]
    if build := _built(candidates, target):
        return build
    settings = [f"-DSDKCONFIG={own / 'sdkconfig'}", f"-DIDF_TARGET={target}"]
    command = ["idf.py", *(["--preview"] if target == "linux" else []), "-B", str(own), *settings, "build"]
    if build_dir or not shutil.which("idf.py"):
        raise InputError(
            f"no build of the firmware for {target} in {' or '.join(map(str, candidates))}",
            hint=f"with an ESP-IDF of yours (`. $IDF_PATH/export.sh`), in {app_path}: {' '.join(command)}",
        )
    with FileLock(own.with_suffix(".lock")):
        if not _built([own], target) and subprocess.run(command, cwd=app_path).returncode != 0:
            raise InputError(
                "the build of the firmware failed",
                hint=f"see for yourself: {' '.join(command)}",
                file=app_path,
            )
    return own


def _built(candidates: list[Path], target: str) -> Path | None:
    """The first of the folders with a finished build for the target: its configuration is there long before."""
    for build in candidates:
        config = build / "config" / "sdkconfig.json"
        is_finished = config.is_file() and any(build.glob("*.elf"))
        if is_finished and json.loads(config.read_text("utf-8"))["IDF_TARGET"] == target:
            return build
    return None


def _as_flashable(build: Path) -> Path:
    """A folder with what the simulated chip needs of a build for ESP-IDF's linux target, which has only an ELF."""
    from fctry.files import read_file
    from fctry.partitions.binary import unpack
    from fctry.reference.build_folder import complete, describe

    said = json.loads(read_file(build / "project_description.json"))
    table = unpack(read_file(build / "partition_table" / "partition-table.bin"))
    folder = build / "board"
    with FileLock(build / "board.lock"):
        folder.mkdir(exist_ok=True)
        program = folder / str(said["app_elf"])
        copy = Path(shutil.copy(build / program.name, folder / "copy"))
        copy.replace(program)  # a board of another process may be running it
        description = describe(program, version=said["project_version"], idf_version=said["git_revision"])
        complete(folder, description, table, "esp32", FLASH_BYTES)
    return folder
