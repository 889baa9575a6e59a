"""What goes wrong on one direction of a serial line, without I/O: bytes in, and out what is to be done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import pairwise


class To(Enum):
    """Which way the bytes go."""

    CHIP = "chip"
    HOST = "host"


@dataclass(frozen=True)
class Loss:
    """`count` bytes from the `byte`-th on do not arrive. The first byte is 1, since the board is on."""

    byte: int
    count: int = 1
    to: To = To.CHIP


@dataclass(frozen=True)
class Flip(Loss):
    """They arrive with the bits of `mask` flipped."""

    mask: int = 1

    def __post_init__(self) -> None:
        if not 0 < self.mask < 0x100:
            raise ValueError(f"mask is the bits of one byte, 1 to 0xff, not {self.mask:#x}")


@dataclass(frozen=True)
class Doubling(Loss):
    """They arrive twice."""


@dataclass(frozen=True)
class Delay(Loss):
    """They arrive `seconds` later, and what is behind them too."""

    seconds: float = 0.5


@dataclass(frozen=True)
class Vanish(Loss):
    """The port is gone with them, and comes back after `seconds`."""

    seconds: float = 0.5


@dataclass(frozen=True)
class PowerLoss(Loss):
    """The chip's power fails, and comes back at once."""


Piece = bytes | Delay | Vanish | PowerLoss


@dataclass
class FaultyLine:
    """Passes on what comes. Of faults that meet, the first in the list counts."""

    faults: Sequence[Loss] = ()
    passed_bytes: int = field(default=0, init=False)

    def pass_on(self, data: bytes) -> Iterator[Piece]:
        """What is to be done, in order."""
        begin, self.passed_bytes = self.passed_bytes, self.passed_bytes + len(data)
        edges = {begin, self.passed_bytes}
        for fault in self.faults:
            edges |= {fault.byte - 1, fault.byte - 1 + fault.count}
        inside = sorted(edge for edge in edges if begin <= edge <= self.passed_bytes)
        for start, end in pairwise(inside):
            part = data[start - begin : end - begin]
            found = next((one for one in self.faults if 0 <= start - (one.byte - 1) < one.count), None)
            if isinstance(found, Delay | Vanish | PowerLoss) and start == found.byte - 1:
                yield found
            if found is None or isinstance(found, Delay):
                yield part
            elif isinstance(found, Flip):
                yield bytes(byte ^ found.mask for byte in part)
            elif isinstance(found, Doubling):
                yield bytes(byte for byte in part for _ in range(2))
