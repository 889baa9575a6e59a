"""What every source of values is: it draws, for one device, one value or several that belong together."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from fctry.errors import InputError
from fctry.identity.draft import Context, CounterRange

Drawn = str | bytes
"""What a source yields: the text of a CSV's cell, or raw bytes for the encodings binary and string."""


@dataclass(frozen=True)
class Part:
    """One of the values that a source draws. `is_text` or else raw bytes."""

    text: str
    is_secret: bool = False
    is_text: bool = True


class Given(NamedTuple):
    """What a source may draw from: its own number, what is known of the device, and what other sources have drawn.

    `drawn` is by `source` or `source.part`. `folder` is that of the spec. `prepared` is what the source's `prepare`
    made for this device, if that was done ahead. `parts` are those that are used, None for all: what takes long need
    not be drawn for others.
    """

    counter: int
    context: Context
    drawn: Mapping[str, Drawn]
    folder: Path = Path()
    prepared: Any = None
    parts: Collection[str] | None = None

    def __repr__(self) -> str:  # what is drawn may be a secret
        return f"Given({self.counter}, {self.context})"


@dataclass(frozen=True)
class Source:
    """Base of all kinds: one value that is no secret, the same for all devices unless a kind says otherwise."""

    KIND: ClassVar[str]
    PARTS: ClassVar[Mapping[str, Part]] = {"": Part("the value")}
    """Part -> what it is; the part without a name is what the source's own name stands for."""

    @property
    def counter(self) -> CounterRange | None:
        """The numbers that it takes from the ledger, one for each device; None if it does not count."""
        return None

    @property
    def shared_counter(self) -> str:
        """The name of its counter where other products may count on; nothing: it has its own."""
        return ""

    def capacity(self, part: str) -> int | None:
        """How many different values there are; None without bound, as far as the spec knows."""
        return (self.counter.last - self.counter.first) // self.counter.step + 1 if self.counter else None

    @property
    def is_random(self) -> bool:
        return False

    @property
    def references(self) -> tuple[str, ...]:
        """What it needs of other sources, as `source` or `source.part`."""
        return ()

    def prepare(self, parts: Collection[str] | None = None) -> Any:
        """What takes long to make for a device and depends on nothing that is given, or None: it can be made ahead.

        `parts` are as in `Given`.
        """
        return None

    def draw(self, given: Given) -> Mapping[str, Drawn]:
        """Part -> value. Raises InputError for what cannot be drawn for this device."""
        raise NotImplementedError

    @property
    def ends(self) -> tuple[str, ...]:
        """The smallest and the largest of what it may draw, where that is a range."""
        return ()

    def weakness(self) -> str:
        """Why its secrets can be guessed, or nothing."""
        return ""

    def _number(self, given: Given) -> int:
        """This device's number, which must be one of the range."""
        numbers = self.counter
        if not numbers or not numbers.first <= given.counter <= numbers.last:
            raise InputError(
                f"number {given.counter} is outside of the range of this {self.KIND}",
                hint="all of its numbers are handed out: enlarge the range in the spec",
            )
        return given.counter
