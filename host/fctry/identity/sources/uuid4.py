"""UUIDs of version 4. Source: RFC 9562, 5.4."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from fctry.identity.sources.source import Drawn, Given, Part, Source


@dataclass(frozen=True)
class Uuid(Source):
    """Random, with 122 bits of entropy."""

    KIND: ClassVar[str] = "uuid"
    PARTS: ClassVar[Mapping[str, Part]] = {
        "": Part("as text"),
        "bytes": Part("the 16 bytes", is_text=False),
    }

    @property
    def is_random(self) -> bool:
        return True

    def capacity(self, part: str) -> int:
        return 1 << 122

    def draw(self, given: Given) -> Mapping[str, Drawn]:
        drawn = uuid.uuid4()  # of os.urandom, a CSPRNG
        return {"": str(drawn), "bytes": drawn.bytes}
