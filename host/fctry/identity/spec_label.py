"""What is stuck on a device, as its spec says it: `[label]`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from fctry.errors import InputError
from fctry.identity.named import names_in
from fctry.identity.spec_options import option

SIZE = re.compile(r"([0-9]{1,4}(?:\.[0-9]{1,3})?)x([0-9]{1,4}(?:\.[0-9]{1,3})?)")


@dataclass(frozen=True)
class SpecLabel:
    """Texts with fields of the device in them, public or secret."""

    qr: str = option("what the QR code says: {serial_number}")
    lines: tuple[str, ...] = option("lines of text beside it", ())
    code: str = option("setup code of HomeKit, manual code of Matter: {setup_code}", "")
    size: str = option("width and height in mm", "50x25", schema={"pattern": f"^{SIZE.pattern}$"})

    def __post_init__(self) -> None:
        if not SIZE.fullmatch(self.size):
            raise InputError(f"size {self.size!r} is no pair of numbers", hint="write it as 50x25")
        list(self.names())  # raises for a brace that is not closed

    @property
    def size_mm(self) -> tuple[float, float]:
        width, height = self.size.split("x")
        return float(width), float(height)

    def names(self) -> Iterator[tuple[str, str]]:
        """The option and the name of each field in it."""
        for name, texts in (("qr", (self.qr,)), ("lines", self.lines), ("code", (self.code,))):
            for text in texts:
                yield from ((name, found) for found in names_in(text))
