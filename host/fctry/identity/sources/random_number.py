"""Random numbers, out of the operating system's CSPRNG: a discriminator, a node number."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from fctry.errors import InputError
from fctry.identity.sources.source import Drawn, Given, Source
from fctry.identity.spec_options import option


@dataclass(frozen=True)
class RandomNumber(Source):
    """Each number of the range is as likely as any other."""

    KIND: ClassVar[str] = "number"
    low: int = option("smallest", 0)
    high: int = option("largest")

    def __post_init__(self) -> None:
        if self.high < self.low:
            raise InputError("the largest is below the smallest", hint="give low and high, both inclusive")

    @property
    def is_random(self) -> bool:
        return True

    def capacity(self, part: str) -> int:
        return self.high - self.low + 1

    @property
    def ends(self) -> tuple[str, ...]:
        return str(self.low), str(self.high)

    def weakness(self) -> str:
        bits = self.capacity("").bit_length() - 1
        return "" if bits >= 64 else f"{bits} bits of entropy"

    def draw(self, given: Given) -> Mapping[str, Drawn]:
        return {"": str(self.low + secrets.randbelow(self.high - self.low + 1))}
