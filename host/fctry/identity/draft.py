"""What the spec and the ledger say to each other: drafts of devices, and the values in them that must be unique."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from fctry.nvs.item import Value


class CounterRange(NamedTuple):
    """The numbers that a counter hands out: `first`, `first + step`, … up to `last`."""

    first: int
    last: int
    step: int = 1


@dataclass(frozen=True)
class Claim:
    """A value that no other device may have. `scope` is `namespace:key`, or another name that it is unique in.

    One that is random is drawn anew when it is taken; any other is then refused.
    """

    scope: str
    value: bytes = field(repr=False)
    is_random: bool = False
    is_secret: bool = False


NOTHING: Mapping[str, Any] = {}


class Context(NamedTuple):
    """What a draft depends on beside the spec: where and when it is made, and what is known of this device alone.

    `columns` are the cells of its line in a CSV, `station` what only the station knows: the chip's MAC, a scanned
    code. `prepared` is what was made ahead for this device, by the name of the source.
    """

    now: datetime
    lot: str = ""
    line: str = ""
    columns: Mapping[str, str] = NOTHING
    station: Mapping[str, str] = NOTHING
    prepared: Mapping[str, Any] = NOTHING

    def __repr__(self) -> str:  # cells and scans may be secrets
        return f"Context({self.now}, {self.lot!r}, {self.line!r})"


class Draft(NamedTuple):
    """One device's values before the database has agreed to them.

    `values` and `secrets` are what goes into its image, by `namespace:key`; among the secrets may be some that stay out
    of it, by a name without a colon. `public` is what people may see, by the key alone or the column of a CSV.
    """

    values: Mapping[str, Value]
    secrets: Mapping[str, Value]
    public: Mapping[str, str]
    claims: tuple[Claim, ...]

    def __repr__(self) -> str:  # without its secrets
        return f"Draft({dict(self.values)}, {dict(self.public)}, {self.claims})"


@dataclass(frozen=True)
class Product:
    """What devices are made of: the product's name, and the SHA-256 of its spec."""

    name: str
    spec_sha256: str


class Drawer(Protocol):
    """Draws devices. `counters` are those that it needs a number of for each."""

    @property
    def counters(self) -> Mapping[str, CounterRange]:
        """By name."""

    def draw(self, counters: Mapping[str, int], context: Context, kept: Mapping[str, Value] = ...) -> Draft:
        """A device with these numbers; asked again, with the same, when a random value of it was taken.

        `kept` are values that the device has already, by `namespace:key`: they are not drawn anew.
        """

    def draw_each(self, counters: Sequence[Mapping[str, int]], contexts: Sequence[Context]) -> list[Draft]:
        """A device for each of these, in order."""


class Preparer(Drawer, Protocol):
    """A drawer of which some work can be done ahead."""

    def prepare(self) -> Mapping[str, Any]:
        """What takes long to make for one device, for its `Context.prepared`."""
