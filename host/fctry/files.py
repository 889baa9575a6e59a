"""Files: read or refused by name, written whole or not at all, and durable once they are written."""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from io import FileIO
from pathlib import Path
from typing import TextIO

from fctry.errors import FormatError, InputError

STANDARD = Path("-")
"""Standard input where it is read, standard output where it is written."""
PART = re.compile(r"\.fctry-[0-9a-f]{16}\.part")
"""What a file is called until it is complete."""
REMEDIES = {
    errno.ENOSPC: "make room on the disk: what was there is as it was",
    errno.EDQUOT: "make room: your share of the disk is used up",
    errno.EACCES: "choose a folder that you may write to",
    errno.EPERM: "choose a folder that you may write to",
    errno.EROFS: "choose another folder: nobody can write to this disk",
}
YOUNG_S = 1.0  # a file so young may not be locked yet


@contextmanager
def naming(path: str | Path) -> Iterator[None]:
    """Let the errors about the content of a file name that file."""
    try:
        yield
    except FormatError as error:
        raise error.at(file=path) from None


def reason_of(error: Exception) -> str:
    """What is wrong; of an error of the system without the path, which `InputError` names."""
    return str((isinstance(error, OSError) and error.strerror) or error)


def read_file(path: Path, hint: str = "check the path") -> bytes:
    """The content of a file, a pipe, or of STANDARD input. Raises InputError that names it, with the hint."""
    try:
        if path == STANDARD:
            return _standard_input(sys.stdin)
        if stat.S_ISCHR(path.stat().st_mode):
            raise InputError("cannot read: it is a device", hint=hint, file=path)
        return path.read_bytes()
    except (OSError, ValueError) as error:
        hint = "have its owner let you read it" if isinstance(error, PermissionError) else hint
        raise InputError(f"cannot read: {reason_of(error)}", hint=hint, file=path) from None


@lru_cache(maxsize=1)
def _standard_input(stream: TextIO) -> bytes:
    return stream.buffer.read()  # what is read of it once, is asked for again


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


def write_file(path: Path, data: bytes, *, is_private: bool = False) -> None:
    """Write a file; what was there stays until the new one is complete. Raises InputError that names it.

    As with a redirection of the shell, an existing file keeps its mode, a symbolic link stays one, and what is no file
    but a pipe or a device, or STANDARD output, is written to. A new file that `is_private` is its owner's alone.
    """
    if path == STANDARD:
        sys.stdout.buffer.write(data)
        return
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(data)
            return
        target = os.path.realpath(path)
        folder = os.path.dirname(target)  # noqa: PTH120 as the functions below
        sweep(folder)
        replace_file(target, data, is_private=is_private)
        sync_folder(folder)
    except (OSError, ValueError) as error:
        raise _refusal(path, error) from None


def replace_file(path: str, data: bytes, *, is_private: bool = False, is_durable: bool = True) -> None:
    """Put a complete file in the place of what is there, also after a power cut. Raises OSError.

    The new name is durable after `sync_folder`; a file that is not `is_durable` is whole after `sync_all`.
    """
    with replacing(path, is_private=is_private, is_durable=is_durable) as file:
        written = file.write(data)
        while written < len(data):
            written += file.write(data[written:])


@contextmanager
def replacing(path: str, *, is_private: bool = False, is_durable: bool = True) -> Iterator[FileIO]:
    """A file without a buffer that takes the place of what is there when it is complete; see `replace_file`."""
    part = os.path.join(os.path.dirname(path), f".fctry-{os.urandom(8).hex()}.part")  # noqa: PTH118, PTH120 a Path costs as much as an image
    mode = None
    with suppress(FileNotFoundError):
        status = os.lstat(path)
        mode = stat.S_IMODE(status.st_mode) if stat.S_ISREG(status.st_mode) else None
    # what its owner alone may read, nobody else ever can
    opened = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600 if is_private or mode else 0o666)
    try:
        with FileIO(opened, "r+") as file:
            _lock(opened)
            yield file
            if mode is not None:
                os.chmod(part, mode)  # noqa: PTH101 as above
            if is_durable:
                os.fsync(opened)
        os.replace(part, path)  # noqa: PTH105 as above
    except BaseException:
        with suppress(OSError):
            os.unlink(part)  # noqa: PTH108 as above
        raise


def write_new(path: str, *parts: bytes) -> None:
    """Write a new file that its owner alone can read; it is whole after `sync_all`. Raises OSError."""
    opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        for data in parts:
            written = os.write(opened, data)
            while written < len(data):
                written += os.write(opened, data[written:])
    finally:
        os.close(opened)


def lock_folder(folder: str, hint: str) -> int | None:
    """Lock a folder until what is returned is closed. Raises InputError with the hint when another process has it."""
    if os.name == "nt":  # which opens no folders
        return None
    opened = os.open(folder, os.O_RDONLY)
    try:
        _lock(opened)
    except BlockingIOError:
        os.close(opened)
        raise InputError("the folder is in use", hint=hint, file=folder) from None
    return opened


@contextmanager
def waiting_lock(path: str) -> Iterator[None]:
    """Let no other process in here that locks the same file, which is made; waits for it. Raises OSError."""
    try:
        import fcntl
    except ImportError:
        from filelock import FileLock  # costs as much as forty locks

        with FileLock(path):
            yield
        return
    opened = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield
    finally:
        os.close(opened)


def sync_all() -> None:
    """Make all that was written durable: one call for many files is hundreds of times cheaper than one each."""
    if hasattr(os, "sync"):
        os.sync()


def sync_folder(folder: str) -> None:
    """Make the names in a folder durable, where the system can."""
    with suppress(OSError):
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def sweep(folder: str) -> None:
    """Remove what runs that were killed have left in a folder."""
    for entry in os.scandir(folder):
        if not PART.fullmatch(entry.name) or not entry.is_file(follow_symlinks=False):
            continue
        with suppress(OSError):
            if time.time() - entry.stat().st_mtime > YOUNG_S:
                opened = os.open(entry.path, os.O_RDONLY)
                try:
                    _lock(opened)
                    os.unlink(entry.path)  # noqa: PTH108 as above
                finally:
                    os.close(opened)


def _lock(opened: int) -> None:
    """Lock a file until it is closed. Raises BlockingIOError when another process writes it."""
    try:
        import fcntl
    except ImportError:  # Windows, which does not remove a file that is open
        return
    fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)


def write_secrets(*files: tuple[Path, bytes]) -> None:
    """Write new files that only their owner can read: all of them, or none.

    Never replaces one: what it held may be gone for good. Raises InputError that names it.
    """
    made: list[Path] = []
    try:
        for path, data in files:
            if path == STANDARD:
                write_file(path, data)
                continue
            with os.fdopen(_create(path), "wb", buffering=0) as file:
                made.append(path)
                file.write(data)
                os.fsync(file.fileno())
            sync_folder(str(path.parent))
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
    except (OSError, ValueError) as error:
        raise _refusal(path, error) from None


def _refusal(path: Path, error: OSError | ValueError) -> InputError:
    hint = REMEDIES.get(
        getattr(error, "errno", None) or 0, "give the name of a file, in a folder that is there"
    )
    return InputError(f"cannot write: {reason_of(error)}", hint=hint, file=path)
