"""What the spec and the ledger say to each other: drafts of devices, and the values in them that must be unique."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from fctry.nvs.item import Value


class CounterRange(NamedTuple):
    """The numbers that a counter hands out: ``first``, ``first + step``, … up to ``last``."""

    first: int
    last: int
    step: int = 1


@dataclass(frozen=True)
class Claim:
    """A value that no other device may have. ``scope`` is ``namespace:key``, or another name that it is unique in."""

    scope: str
    value: bytes = field(repr=False)
    is_secret: bool = False


@dataclass(frozen=True)
class Context:
    """What a draft depends on beside the spec: where and when it is made, and what is known of this device alone.

    ``columns`` are the cells of its line in a CSV, ``station`` what only the station knows: the chip's MAC, a scanned
    code.
    """

    now: datetime
    lot: str = ""
    line: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    station: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Draft:
    """One device's values before the database has agreed to them.

    ``values`` are all of them by ``namespace:key``, ``public`` what ledger, manifest and label may show, by key,
    ``secrets`` what they may not, as the bytes that the ledger seals.
    """

    values: Mapping[str, Value] = field(repr=False)
    public: Mapping[str, str]
    secrets: Mapping[str, bytes] = field(repr=False)
    claims: tuple[Claim, ...]


class Drawer(Protocol):
    """Draws devices. ``counters`` are those that it needs a number of for each."""

    counters: Mapping[str, CounterRange]

    def draw(self, counters: Mapping[str, int], context: Context) -> Draft:
        """A device with these numbers; asked again, with the same, when a random value of it was taken."""
