"""The folder of a batch: an image a device, and the manifest of what is in which file.

A folder belongs to one batch, which `batch.json` names, and can be gone on with after any interruption: a device is
done when its line is in `manifest.jsonl`, which is written when its image is safe on disk.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from io import BufferedWriter
from pathlib import Path
from typing import IO, Any, Protocol
from unicodedata import normalize

from fctry.errors import InputError
from fctry.files import (
    PART,
    lock_folder,
    replace_file,
    replacing,
    sweep,
    sync_all,
    sync_folder,
)
from fctry.identity.draft import Draft
from fctry.identity.manifest import Line, as_csv, as_json, parse_json

BATCH, LINES, TABLE = "batch.json", "manifest.jsonl", "manifest.csv"
WITNESS = "witness"
PENDING = ".pending"  # images that the manifest does not name yet
NAME_BYTES_MAX = 200  # file systems take 255, and names get endings
FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')
RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)


def check_file_name(name: str) -> None:
    """Raise InputError for a name that is none on some system: Windows, macOS or Linux.

    Source: Microsoft, "Naming Files, Paths, and Namespaces".
    """
    if (
        not name
        or FORBIDDEN.search(name)
        or not name.isprintable()
        or RESERVED.fullmatch(name)
        or name[0] in ".-~ "
        or name[-1] in ". "
        or len(name.encode(errors="surrogateescape")) > NAME_BYTES_MAX
    ):
        raise InputError(
            f"{name!r} cannot be the name of a file on every system",
            hint=f"letters, digits, dots, dashes and underscores do, up to {NAME_BYTES_MAX}; name the files by another "
            "field (--name)",
        )


def folded(name: str) -> str:
    """What names have in common that are one file on some system: for macOS, é is e and an accent, too."""
    return name.casefold() if name.isascii() else normalize("NFC", normalize("NFC", name).casefold())


def check_same(found: Mapping[str, Any], wanted: Mapping[str, Any], file: Path) -> None:
    """Raise InputError when the batch that was found is not the one that is wanted."""
    differing = sorted(
        key for key in {*found, *wanted} - {"batch", WITNESS} if found.get(key) != wanted.get(key)
    )
    if differing:
        raise InputError(
            f"there is another batch: {', '.join(differing)} differ",
            hint="choose another name, or go on with the batch that is here",
            file=file,
        )


def _read_batch(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {**found, "batch": found["batch"]}
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(
            f"it describes no batch: {error}", hint="choose an empty folder", file=path
        ) from None


class Writer(Protocol):
    """Who writes the files of devices."""

    def write(self, folder: str, devices: Iterable[tuple[str, Draft]]) -> Iterator[str]:
        """Write new files into a folder, whole after `sync_all`; yields the SHA-256 of each plain image, in order."""

    def move(self, names: Sequence[str], source: str, folder: str) -> Iterator[None]:
        """Begin to move files of these names from one folder to another; ends when they are there."""


class BatchFolder:
    """The folder of one batch, to be opened. Raises InputError when something else is in it, OSError when it cannot be
    written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pending = folder / PENDING
        """Where images are until the manifest names them."""
        self._made = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = lock_folder(str(folder), "another `fctry batch` writes it: wait for it")
        self._identity: dict[str, Any] = {}
        self._fields: tuple[str, ...] = ()
        self.done: set[int] = set()
        """The numbers of the devices whose images are here."""
        self._names: set[int] = set()  # hashes of the names of their files: a batch may be larger than memory
        try:
            self._is_new = not (folder / BATCH).exists()
            if self._is_new:
                self._check_empty()
        except BaseException:
            self.close()
            raise

    def _check_empty(self) -> None:
        if any(not PART.fullmatch(one.name) and one.name != PENDING for one in self.folder.iterdir()):
            raise InputError(
                "the folder is not empty, and no batch was begun in it",
                hint="choose an empty folder: nothing that is there shall be mistaken for a device's image",
                file=self.folder,
            )

    def open(self, identity: Mapping[str, Any], fields: Sequence[str]) -> None:
        """Begin this batch, or go on with it.

        `identity` is what makes the batch this one (the spec's digest, the ledger): a folder of another is refused:
        InputError. `fields` are the columns of the manifest.
        """
        self._fields = tuple(fields)
        if self._is_new:
            self._identity = {**identity, "batch": os.urandom(8).hex()}
            self._write_identity()
        else:
            found = _read_batch(self.folder / BATCH)
            check_same(found, identity, self.folder)
            self._identity = found
        self._restore()
        self._remove_pending()
        self.pending.mkdir()

    def __enter__(self) -> BatchFolder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let others have the folder. One in which no batch was begun is as it was."""
        if self._identity:
            self._remove_pending()
        elif self._made:
            with suppress(OSError):
                self.folder.rmdir()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    @property
    def batch(self) -> str:
        """The batch's own name, made when it was begun."""
        return str(self._identity["batch"])

    @property
    def is_witness(self) -> bool:
        """Whether it knows how far the ledger had come."""
        return WITNESS in self._identity

    def remember(self, witness: Mapping[str, Any]) -> None:
        """Write down how far the ledger has come, for the day when a backup of it is put back."""
        self._identity[WITNESS] = dict(witness)
        self._write_identity()

    def _remove_pending(self) -> None:
        if self.pending.exists():
            from shutil import rmtree  # with all that packs files

            rmtree(self.pending, ignore_errors=True)

    def _write_identity(self) -> None:
        data = json.dumps(self._identity, indent=2).encode() + b"\n"
        replace_file(str(self.folder / BATCH), data, is_private=True)

    def add(
        self,
        devices: Iterable[tuple[int, str, Draft]],
        writers: Writer,
        record: Callable[[dict[int, str]], None] = lambda digests: None,
    ) -> None:
        """Write images: of each device its number, the name of the file and what is in it.

        All of them are safe on disk before the manifest names the first, and then get their places; meanwhile, `record`
        gets the SHA-256 of each, by its number.
        """
        named: list[Line] = []

        def files() -> Iterator[tuple[str, Draft]]:
            for number, name, draft in devices:
                self._take_name(number, name, named)
                public = draft.public
                if tuple(public) != self._fields:
                    public = {key: public.get(key, "") for key in self._fields}
                named.append(Line(number, name, "", public))
                yield name, draft

        digests = writers.write(str(self.pending), files())
        lines = [named[at]._replace(sha256=digest) for at, digest in enumerate(digests)]
        sync_all()
        for name, text in (
            (LINES, as_json(lines)),
            (TABLE, as_csv(lines, self._fields)),
        ):
            with (self.folder / name).open("ab") as file:
                file.write(text.encode())
                file.flush()
                os.fsync(file.fileno())
        moved = writers.move([line.file for line in lines], str(self.pending), str(self.folder))
        record({line.number: line.sha256 for line in lines})
        for _ in moved:
            pass
        sync_folder(str(self.folder))
        self.done.update(line.number for line in lines)

    def _take_name(self, number: int, name: str, lines: Sequence[Line]) -> None:
        check_file_name(name)
        key = hash(folded(name))
        if key in self._names:
            others = (one for one in (*lines, *self.lines()) if folded(one.file) == folded(name))
            other = next(others, None)
            raise InputError(
                f"devices {other.number if other else '?'} and {number} would have the same file, {name!r}",
                hint="name the files by a field that is unique, without regard to upper and lower case",
            )
        self._names.add(key)

    def lines(self) -> Iterator[Line]:
        """The manifest, without what a power cut left of its last line and without images that are gone."""
        path = self.folder / LINES
        if path.exists():
            with path.open(encoding="utf-8", errors="replace", newline="\n") as file:
                for raw in file:
                    line = parse_json(raw)
                    if line and (self.folder / line.file).is_file():
                        yield line

    def _restore(self) -> None:
        """Write both forms of the manifest anew, of the lines that are whole, and learn from them what is done."""
        sweep(str(self.folder))
        with self._replacing(LINES) as json_lines, self._replacing(TABLE) as table:
            table.write(as_csv([], self._fields, with_header=True).encode())
            for line in self.lines():
                self.done.add(line.number)
                self._names.add(hash(folded(line.file)))
                json_lines.write(as_json([line]).encode())
                table.write(as_csv([line], self._fields).encode())

    @contextmanager
    def _replacing(self, name: str) -> Iterator[IO[bytes]]:
        with replacing(f"{self.folder}{os.sep}{name}", is_private=True) as raw:
            file = BufferedWriter(raw)
            yield file
            file.flush()
            file.detach()
