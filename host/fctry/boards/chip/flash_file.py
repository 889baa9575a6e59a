"""The file of a board's flash: made erased if it is absent, of the chip's size, and of one board at a time."""

from __future__ import annotations

import os
from pathlib import Path

from fctry.errors import InputError


def open_flash_file(path: Path, size_bytes: int) -> int:
    """Open the file for reading and writing, and lock it; make it, erased, if it is absent. Returns its descriptor.

    Raises InputError if it has another size, cannot be opened, or another board has it open.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise InputError(
            f"cannot open the flash file: {error.strerror}", file=path, hint="name a file that can be written"
        ) from error
    try:
        _lock_file(descriptor, path)
        found = os.fstat(descriptor).st_size
        if found == 0:
            os.pwrite(descriptor, b"\xff" * size_bytes, 0)
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
