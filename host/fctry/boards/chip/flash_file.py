"""The file of a board's flash: made erased if it is absent, of the chip's size, and of one board at a time."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from fctry.errors import InputError


def open_flash_file(path: Path, size_bytes: int) -> int:
    """Open the file for reading and writing, and lock it; make it, erased, if it is absent. Returns its descriptor.

    Raises InputError if it has another size, cannot be opened or made, or another board has it open.
    """
    was_there = os.path.exists(path)  # noqa: PTH110  Path.exists raises where `open` is to say why
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise InputError(
            f"cannot open the flash file: {error.strerror}", file=path, hint="name a file that can be written"
        ) from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise InputError("this is not a file", file=path, hint="name a file for the flash")
        _lock_file(descriptor, path)
        found = os.fstat(descriptor).st_size
        if found < size_bytes and _is_erased(descriptor, found):  # new, or its making was cut short
            _erase_file(descriptor, path, size_bytes, was_there=was_there)
        elif found != size_bytes:
            raise InputError(
                f"the flash file has {found} bytes, the chip {size_bytes}",
                file=path,
                hint="name another file, or choose the flash size that this one has",
            )
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _lock_file(descriptor: int, path: Path) -> None:
    import fcntl  # not on Windows, where this package serves no board but can still be imported

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise InputError(
            "another board uses this flash file", file=path, hint="stop that board, or name another file"
        ) from error


def _is_erased(descriptor: int, size_bytes: int) -> bool:
    return os.pread(descriptor, size_bytes, 0).count(0xFF) == size_bytes


def _erase_file(descriptor: int, path: Path, size_bytes: int, *, was_there: bool) -> None:
    """Fill a file with ones, or leave it empty, or absent as it was."""
    erased = memoryview(b"\xff" * size_bytes)
    done = 0
    try:
        while done < size_bytes:
            done += os.pwrite(descriptor, erased[done:], done)
    except BaseException as error:
        os.ftruncate(descriptor, 0)
        if not was_there:
            path.unlink(missing_ok=True)
        if not isinstance(error, OSError):
            raise
        raise InputError(
            f"cannot make the flash file: {error.strerror}",
            file=path,
            hint=f"it takes {size_bytes >> 20} MiB: make space, or name a file on another disk",
        ) from error
