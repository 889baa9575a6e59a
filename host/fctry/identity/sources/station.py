"""What only the station knows, with the device in it: the chip's own MAC, a code that was scanned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from fctry.identity.sources.source import Drawn, Given, Source
from fctry.identity.spec_options import option

MAC = "mac"


@dataclass(frozen=True)
class AtStation(Source):
    """Known when the device is on the station, not before: such a spec makes no batch of images."""

    KIND: ClassVar[str] = "station"
    name: str = option("what the station calls it: `mac` for the chip's own MAC, or the name of a scan", MAC)
    example: str = option("what it is like, for checks before the first device", "24:0A:C4:00:00:01")

    def weakness(self) -> str:
        return "what everybody can read from the chip" if self.name == MAC else ""

    def draw(self, given: Given) -> Mapping[str, Drawn]:
        value = given.context.station.get(self.name, "")
        return {"": value} if value else {}
