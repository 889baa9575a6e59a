"""The applications that a board may run: ELFs out of build folders, known by their digest."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from fctry.errors import InputError

_HINT = "give a build folder, such as the reference firmware's: `python -m fctry.reference build` makes one in build"


@dataclass(frozen=True)
class App:
    """An ELF and the SHA-256 that it had when the board started."""

    elf: Path
    sha256: bytes

    @property
    def is_unchanged(self) -> bool:
        """Whether the file still is what it was when the board started."""
        try:
            return hashlib.sha256(self.elf.read_bytes()).digest() == self.sha256
        except OSError:
            return False


def find_apps(paths: Iterable[Path]) -> dict[bytes, App]:
    """The applications in build folders (each with one `*.elf` at its top) or ELF files, by their digest.

    Raises InputError if there is no such folder or file, or not exactly one ELF.
    """
    apps = (_read_app(path) for path in paths)
    return {app.sha256: app for app in apps}


def _read_app(path: Path) -> App:
    elf = _only_elf(path) if path.is_dir() else path
    try:
        app = App(elf.resolve(), hashlib.sha256(elf.read_bytes()).digest())
    except OSError as error:
        raise InputError(
            f"cannot read the application: {error.strerror}",
            file=path,
            hint=_HINT,
        ) from error
    if not os.access(elf, os.X_OK):
        raise InputError(
            "no program",
            file=elf,
            hint=f"name a build folder, or the program in it; if this is one: chmod +x {elf}",
        )
    return app


def _only_elf(folder: Path) -> Path:
    elves = sorted(folder.glob("*.elf"))
    if len(elves) != 1:
        raise InputError(
            f"{len(elves) or 'no'} ELF files at the top of the build folder",
            file=folder,
            hint="name the ELF itself" if elves else _HINT,
        )
    return elves[0]
