"""Random bytes, out of the operating system's CSPRNG."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from fctry.identity.sources.source import Drawn, Given, Part, Source
from fctry.identity.spec_options import option


@dataclass(frozen=True)
class RandomBytes(Source):
    """Keys and nonces."""

    KIND: ClassVar[str] = "bytes"
    PARTS: ClassVar[Mapping[str, Part]] = {
        "": Part("the bytes", is_text=False),
        "hex": Part("as hexadecimal digits"),
    }
    size_bytes: int = option("how many", 32, minimum=1, maximum=4096)

    @property
    def is_random(self) -> bool:
        return True

    def capacity(self, part: str) -> int:
        return 1 << 8 * self.size_bytes

    def weakness(self) -> str:
        return "" if self.size_bytes >= 8 else f"{8 * self.size_bytes} bits of entropy"

    def draw(self, given: Given) -> Mapping[str, Drawn]:
        data = secrets.token_bytes(self.size_bytes)
        return {"": data, "hex": data.hex()}
