"""MAC addresses out of a block that is yours.

Source: IEEE 802-2014, 8.2.2 (the two low bits of the first byte); ESP-IDF v5.3 to v6.1-beta1, which agree,
components/esp_hw_support/port/*/Kconfig.mac (how many addresses a chip derives from its base MAC, by default).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from fctry.errors import InputError
from fctry.identity.draft import CounterRange
from fctry.identity.sources.source import Drawn, Given, Part, Source
from fctry.identity.spec_options import option

DERIVED_ADDRESSES = {
    "esp32": 4,
    "esp32s2": 2,
    "esp32s3": 4,
    "esp32c2": 4,
    "esp32c3": 4,
    "esp32c5": 4,
    "esp32c6": 4,
    "esp32c61": 4,
    "esp32h2": 2,
    "esp32h21": 2,
    "esp32h4": 2,
    "esp32p4": 1,
}
MULTICAST, LOCAL = 1 << 40, 2 << 40
ADDRESS_SIZE_BYTES = 6
BLOCK = "mac/"  # with the first address behind it: the counter of a block, the same one in all products
ADDRESS = re.compile(r"[0-9a-f]{2}([:-]?[0-9a-f]{2}){5}", re.IGNORECASE)


@dataclass(frozen=True)
class Mac(Source):
    """Counted by the ledger: the number is the address itself, so a block can be enlarged at its end."""

    KIND: ClassVar[str] = "mac"
    PARTS: ClassVar[Mapping[str, Part]] = {
        "": Part("as text, 0A:0B:0C:0D:0E:0F"),
        "bytes": Part("the 6 bytes", is_text=False),
    }
    start: str = option(
        "first address of the block, 0A:0B:0C:0D:0E:00",
        schema={"pattern": "^[0-9A-Fa-f]{2}([:-]?[0-9A-Fa-f]{2}){5}$"},
    )
    count: int = option("how many addresses the block has", minimum=1, maximum=1 << 46)
    chip: str = option(
        "chip that derives its addresses from this one, and takes as many of the block as its default is",
        "",
        choices=("", *DERIVED_ADDRESSES),
    )
    step: int = option(
        "addresses that each device takes; 0: as the chip does, or one", 0, minimum=0, maximum=256
    )
    local: bool = option("locally administered: made up, and not bought from the IEEE", False)

    def __post_init__(self) -> None:
        if not ADDRESS.fullmatch(self.start):
            raise InputError(f"start {self.start!r} is no MAC address", hint="write it as 0A:0B:0C:0D:0E:00")
        first, last = self.addresses
        if last >= 1 << 48 or (first ^ last) & (MULTICAST | LOCAL):
            raise InputError(
                "the block goes over into another kind of address", hint="make its count smaller"
            )
        if first & MULTICAST:
            raise InputError(
                f"{self.start} is a multicast address", hint="the first byte of a device's is even"
            )
        if bool(first & LOCAL) != self.local:
            kind = "universally" if self.local else "locally"
            raise InputError(
                f"{self.start} is {kind} administered, and the spec says otherwise",
                hint="say `local = true` for addresses that are made up (first byte 02, 06, 0A …), and leave it out "
                "for those of a block bought from the IEEE",
            )
        if self.count < self.stride:
            raise InputError(
                "the block is too small for one device", hint=f"each takes {self.stride} addresses"
            )

    @property
    def stride(self) -> int:
        """Addresses that each device takes."""
        return self.step or DERIVED_ADDRESSES.get(self.chip, 1)

    @property
    def addresses(self) -> tuple[int, int]:
        """First and last address of the block."""
        first = int(re.sub("[:-]", "", self.start), 16)
        return first, first + self.count - 1

    @property
    def counter(self) -> CounterRange:
        first = self.addresses[0]
        return CounterRange(first, first + (self.count // self.stride - 1) * self.stride, self.stride)

    @property
    def shared_counter(self) -> str:
        return f"{BLOCK}{self.addresses[0]:012X}"

    def weakness(self) -> str:
        return "an address that is counted"

    def draw(self, given: Given) -> Mapping[str, Drawn]:
        address = self._number(given).to_bytes(ADDRESS_SIZE_BYTES, "big")
        return {"": address.hex(":").upper(), "bytes": address}
