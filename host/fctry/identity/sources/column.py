"""Cells of a CSV with a line a device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from fctry.identity.sources.source import Drawn, Given, Source
from fctry.identity.spec_options import option


@dataclass(frozen=True)
class Column(Source):
    """What somebody else has made: keys of a service, numbers of a customer."""

    KIND: ClassVar[str] = "column"
    column: str = option("name of the column")
    example: str = option("what a cell is like, for checks before the first device", "")

    def draw(self, given: Given) -> Mapping[str, Drawn]:
        cell = given.context.columns.get(self.column, "")
        return {"": cell} if cell else {}
