"""The same value for every device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from fctry.identity.sources.source import Drawn, Given, Source
from fctry.identity.spec_options import option


@dataclass(frozen=True)
class Constant(Source):
    """A model's name, a server's address."""

    KIND: ClassVar[str] = "constant"
    value: str = option("the text, as a CSV's cell has it")

    def capacity(self, part: str) -> int:
        return 1

    def weakness(self) -> str:
        return "the same on every device"

    def draw(self, given: Given) -> Mapping[str, Drawn]:
        return {"": self.value}
