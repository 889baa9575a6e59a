"""The folder of a batch: an image a device, and the manifest of what is in which file.

A folder belongs to one batch, which `batch.json` names, and can be gone on with after any interruption: a device is
done when its line is in `manifest.jsonl`, which is written when its image is safe on disk.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fctry.errors import InputError
from fctry.files import PART, replace_file, sweep, sync_all
from fctry.identity.manifest import Line, as_csv, as_json, parse_json

BATCH, LINES, TABLE = "batch.json", "manifest.jsonl", "manifest.csv"
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


def batch_in(folder: Path) -> str:
    """The name of the batch in a folder. Raises InputError where there is none."""
    try:
        return str(json.loads((folder / BATCH).read_text(encoding="utf-8"))["batch"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"no batch: {error}", hint="name a folder that `fctry batch` has made", file=folder
        ) from None


class BatchFolder:
    """The folder of one batch. Raises InputError when it is another's, OSError when it cannot be written.

    `identity` is what makes the batch this one (the spec's digest, the ledger): a folder of another is refused.
    `fields` are the columns of the manifest.
    """

    def __init__(self, folder: Path, identity: Mapping[str, Any], fields: Sequence[str]) -> None:
        self.folder = folder
        self._fields = tuple(fields)
        folder.mkdir(parents=True, exist_ok=True)
        self._identity = dict(identity)
        self._open()
        sweep(str(folder))
        lines = self._read_lines()
        self.done = {line.number: line.sha256 for line in lines}
        """The numbers of the devices whose images are here, with the SHA-256 of each."""
        self._names = {line.file.casefold(): line.number for line in lines}

    def _open(self) -> None:
        path = self.folder / BATCH
        if path.exists():
            found = json.loads(path.read_text(encoding="utf-8"))
            differing = sorted(
                key
                for key in {*found, *self._identity}
                if key != "batch" and found.get(key) != self._identity.get(key)
            )
            if differing:
                raise InputError(
                    f"the folder holds another batch: {', '.join(differing)} differ",
                    hint="choose an empty folder, or go on with the batch that is here",
                    file=self.folder,
                )
            self._identity = found
        elif any(not PART.fullmatch(one.name) for one in self.folder.iterdir()):
            raise InputError(
                "the folder is not empty, and no batch was begun in it",
                hint="choose an empty folder: nothing that is there shall be mistaken for a device's image",
                file=self.folder,
            )
        else:
            self._identity["batch"] = secrets.token_hex(8)
            self._replace(BATCH, json.dumps(self._identity, indent=2).encode() + b"\n")

    @property
    def batch(self) -> str:
        """The batch's own name, made when it was begun."""
        return str(self._identity["batch"])

    def add(self, images: Iterable[tuple[int, str, bytes, str, Mapping[str, str]]]) -> None:
        """Write images: number, name of the file, its bytes, their plain SHA-256 and the manifest's fields of each.

        All of them are safe on disk before the manifest names the first.
        """
        images = list(images)
        for number, name, *_ in images:
            check_file_name(name)
            other = self._names.setdefault(name.casefold(), number)
            if other != number:
                raise InputError(
                    f"devices {other} and {number} would have the same file, {name!r}",
                    hint="name the files by a field that is unique, without regard to upper and lower case",
                )
        lines = []
        for number, name, data, digest, fields in images:
            self._replace(name, data, is_durable=False)
            lines.append(Line(number, name, digest, {key: fields.get(key, "") for key in self._fields}))
        sync_all()
        self._append(lines)
        self.done.update((line.number, line.sha256) for line in lines)

    def _append(self, lines: Sequence[Line]) -> None:
        for name, text in ((LINES, as_json(lines)), (TABLE, as_csv(lines, self._fields))):
            with (self.folder / name).open("ab") as file:
                file.write(text.encode())
                file.flush()
                os.fsync(file.fileno())

    def _read_lines(self) -> list[Line]:
        """The manifest, without what a power cut left of its last line and without images that are gone."""
        path = self.folder / LINES
        text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
        lines = [line for line in parse_json(text) if (self.folder / line.file).is_file()]
        header = as_csv([], self._fields, with_header=True)
        for name, content in ((LINES, as_json(lines)), (TABLE, header + as_csv(lines, self._fields))):
            file = self.folder / name
            if not file.exists() or file.read_bytes() != content.encode():
                self._replace(name, content.encode())
        return lines

    def _replace(self, name: str, data: bytes, *, is_durable: bool = True) -> None:
        replace_file(f"{self.folder}{os.sep}{name}", data, is_private=True, is_durable=is_durable)
