"""The content of files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from fctry.errors import InputError
from fctry.identity.sources.source import Drawn, Given, Part, Source
from fctry.identity.sources.template import fill, references_in
from fctry.identity.spec_options import option


@dataclass(frozen=True)
class File(Source):
    """A file for every device, or one for all when the path names no value."""

    KIND: ClassVar[str] = "file"
    PARTS: ClassVar[Mapping[str, Part]] = {"": Part("its content", is_text=False)}
    path: str = option("relative to the spec; may name other sources: certs/{serial}.der")

    def __post_init__(self) -> None:
        references_in(self.path)

    @property
    def references(self) -> tuple[str, ...]:
        return references_in(self.path)

    def capacity(self, part: str) -> int | None:
        return None if self.references else 1

    def draw(self, given: Given) -> Mapping[str, Drawn]:
        if any(name not in given.drawn for name in self.references):
            return {}
        return {"": read_content(given.folder / fill(self.path, given))}


def read_content(path: Path) -> bytes:
    """Raises InputError that names the file."""
    try:
        if not path.exists() or path.is_file():
            return path.read_bytes()
        reason: object = "it is no file"
    except (OSError, ValueError) as error:  # the place is that of the field, and this is about another file
        reason = error.strerror if isinstance(error, OSError) else "not a path"
    raise InputError(f"cannot read {str(path)!r}: {reason}", hint="paths are relative to the spec")
