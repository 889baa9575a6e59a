"""A batch as one ZIP file: it grows as a folder beside it, which can be gone on with, until it is complete."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

from fctry.errors import InputError
from fctry.files import reason_of, replacing, sync_folder
from fctry.identity.batch_folder import BATCH, LINES, TABLE, BatchFolder, check_same

PACKED = ".zip"
LEVEL = 1  # of deflate: most of an image are ones
OWNER_ONLY = 0o100600 << 16  # as Unix has it in a ZIP file


@contextmanager
def open_batch(output: Path) -> Iterator[BatchFolder]:
    """The folder of a batch, or of one that shall become a ZIP file, which is written at the end; not open yet."""
    if output.suffix.lower() != ".zip":
        with BatchFolder(output) as folder:
            yield folder
        return
    from shutil import rmtree

    place = _growing(output)
    with BatchFolder(place) as folder:
        yield folder
        _pack(folder, output)
    rmtree(place)


def read_batch(output: Path) -> dict[str, Any]:
    """What `batch.json` of a batch says, folder or ZIP file. Raises InputError where there is none."""
    import zipfile

    try:
        if output.is_file():
            with zipfile.ZipFile(output) as archive:
                found = json.loads(archive.read(BATCH))
        else:
            found = json.loads((output / BATCH).read_text(encoding="utf-8"))
        return {**found, "batch": str(found["batch"])}
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        hint = "name a folder or a ZIP file that `fctry batch` has made"
        raise InputError(f"no batch: {reason_of(error)}", hint=hint, file=output) from None


def is_complete(output: Path, identity: Mapping[str, Any], count: int) -> bool:
    """Whether this is the ZIP file of the batch. Raises InputError for that of another, or of a smaller one."""
    if output.suffix.lower() != ".zip" or not output.exists():
        return False
    import zipfile
    from shutil import rmtree

    check_same(read_batch(output), identity, output)
    with zipfile.ZipFile(output) as archive, archive.open(LINES) as lines:
        packed = sum(1 for _ in lines)
    if packed != count:
        hint = "a ZIP file is closed: choose another name"
        raise InputError(f"the batch is complete, with {packed} devices", hint=hint, file=output)
    rmtree(_growing(output), ignore_errors=True)
    return True


def _growing(output: Path) -> Path:
    return output.with_name(f".{output.name}.batch")


def _pack(folder: BatchFolder, output: Path) -> None:
    import shutil
    import zipfile

    packed = folder.folder / PACKED  # what a kill leaves of it goes with the folder
    with (
        replacing(str(packed), is_private=True) as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as archive,
    ):
        for name in chain((BATCH, LINES, TABLE), (line.file for line in folder.lines())):
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = OWNER_ONLY
            with (folder.folder / name).open("rb") as content, archive.open(info, "w") as member:
                shutil.copyfileobj(content, member)
    packed.replace(output)
    sync_folder(os.fspath(output.parent))
