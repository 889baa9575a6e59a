"""Values that are computed from others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from fctry.identity.sources.source import Drawn, Given, Source
from fctry.identity.sources.template import fill, references_in
from fctry.identity.spec_options import option


@dataclass(frozen=True)
class Computed(Source):
    """A host name, the text of a QR code. It is as secret as the most secret of what it is made of."""

    KIND: ClassVar[str] = "computed"
    template: str = option("text with the values of other sources: https://example.com/{serial}")

    def __post_init__(self) -> None:
        references_in(self.template)

    @property
    def references(self) -> tuple[str, ...]:
        return references_in(self.template)

    def capacity(self, part: str) -> int | None:
        return None if self.references else 1

    def weakness(self) -> str:
        return "nothing that is secret in it"

    def draw(self, given: Given) -> Mapping[str, Drawn]:
        if any(name not in given.drawn for name in self.references):
            return {}  # one that is optional, and that this device has not
        return {"": fill(self.template, given)}
