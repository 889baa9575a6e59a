"""Files of the command line: read or refused by name, written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fctry.errors import FormatError, InputError


@contextmanager
def naming(path: str) -> Iterator[None]:
    """Let the errors about the content of a file name that file."""
    try:
        yield
    except FormatError as error:
        raise FormatError(error.message, hint=error.hint, file=path) from None


def read_file(path: Path) -> bytes:
    """The content of a file. Raises InputError that names it."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read: {error.strerror}", hint="check the path", file=path) from None


def write_file(path: Path, data: bytes) -> None:
    """Write a file; what was there stays until the new one is complete. Raises InputError that names it."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        part.write_bytes(data)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise InputError(f"cannot write: {error.strerror}", hint="check the folder", file=path) from None


def write_secret(path: Path, data: bytes) -> None:
    """Write a new file that only its owner can read. Never replaces one: what it held may be gone for good."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise InputError(
            "is there already", hint="keys are never overwritten: choose another name", file=path
        ) from None
    except OSError as error:
        raise InputError(f"cannot write: {error.strerror}", hint="check the folder", file=path) from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
