"""Files of the command line: read or refused by name, written whole or not at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fctry.errors import FormatError, InputError


@contextmanager
def naming(path: str | Path) -> Iterator[None]:
    """Let the errors about the content of a file name that file."""
    try:
        yield
    except FormatError as error:
        raise FormatError(error.message, hint=error.hint, file=path) from None


def read_file(path: Path, hint: str = "check the path") -> bytes:
    """The content of a file. Raises InputError that names it, with the hint."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read: {error.strerror}", hint=hint, file=path) from None


def keep_inputs(outputs: Iterable[Path], inputs: Iterable[str | Path | None]) -> None:
    """Raise InputError if one of the files to write is one of those that were given, by whatever name."""
    given = [path for path in inputs if path]
    for output in outputs:
        if any(_is_same_file(output, path) for path in given):
            raise InputError(
                "this is an input: it would be overwritten", hint="choose another name", file=output
            )


def _is_same_file(output: Path, path: str | Path) -> bool:
    try:
        return output.is_file() and output.samefile(path)
    except OSError:  # one of them is not there, or not to be seen: reading or writing it says so
        return False


def write_file(path: Path, data: bytes) -> None:
    """Write a file; what was there stays until the new one is complete. Raises InputError that names it.

    As with a redirection of the shell, an existing file keeps its mode, a symbolic link stays one, and what is no file
    but a pipe or a device is written to.
    """
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(data)
        else:
            _replace(Path(os.path.realpath(path)), data)
    except OSError as error:
        raise _refusal(path, error) from None


def _replace(path: Path, data: bytes) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        part.touch(0o600 if path.exists() else 0o666)  # what its owner alone may read, nobody else ever can
        part.write_bytes(data)
        if path.exists():
            part.chmod(stat.S_IMODE(path.stat().st_mode))
        part.replace(path)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise


def write_secrets(*secrets: tuple[Path, bytes]) -> None:
    """Write new files that only their owner can read: all of them, or none.

    Never replaces one: what it held may be gone for good. Raises InputError that names it.
    """
    made: list[Path] = []
    try:
        for path, data in secrets:
            with os.fdopen(_create(path), "wb") as file:
                made.append(path)
                file.write(data)
    except BaseException as error:
        for path in made:
            path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _refusal(made[-1], error) from None
        raise


def _create(path: Path) -> int:
    try:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise InputError(
            "is there already", hint="keys are never overwritten: choose another name", file=path
        ) from None
    except OSError as error:
        raise _refusal(path, error) from None


def _refusal(path: Path, error: OSError) -> InputError:
    return InputError(
        f"cannot write: {error.strerror}",
        hint="give the name of a file, in a folder that is there",
        file=path,
    )
