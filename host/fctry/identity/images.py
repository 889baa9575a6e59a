"""Devices' values as images of their factory partition."""

from __future__ import annotations

from fctry.identity.draft import Draft
from fctry.identity.spec import Spec
from fctry.nvs.encoder import ImageTemplate


class ImageMaker:
    """Makes the images of a spec's devices. What they have in common is checked and laid out once.

    `size_bytes` is that of the factory partition; `read_only`: it is flagged so; `version` is that of the page format.
    """

    def __init__(self, spec: Spec, size_bytes: int, *, read_only: bool, version: int = 2) -> None:
        self._spec = spec
        self._size_bytes = size_bytes
        self._read_only = read_only
        self._version = version
        self._templates: dict[tuple[str, ...], ImageTemplate] = {}  # optional fields may be absent

    def __call__(self, draft: Draft) -> bytes:
        """The plain image. Raises InputError, and CapacityError for more than fits."""
        return b"".join(self.parts(draft))

    def parts(self, draft: Draft) -> tuple[bytes, bytes]:
        """The same in two parts, as `ImageTemplate.parts` gives them."""
        stored = self._spec.stored(draft)
        shape = tuple(stored)
        if shape not in self._templates:
            self._templates[shape] = ImageTemplate(
                self._spec.items(draft), self._size_bytes, version=self._version, read_only=self._read_only
            )
        return self._templates[shape].parts(list(stored.values()))
