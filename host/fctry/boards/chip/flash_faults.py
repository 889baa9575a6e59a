"""What is wrong with a flash chip, without I/O: its power fails in an operation, sectors are worn out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from fctry.boards.chip.tear import Tear, tear


@dataclass(frozen=True)
class PowerCut:
    """The power fails, once, at the n-th of something from now: exactly one of the four is given.

    `byte` counts what the chip receives on its serial line, between two operations. `tear` and `seed` say what an
    operation leaves.
    """

    operation: int = 0
    erase: int = 0
    program: int = 0
    byte: int = 0
    tear: Tear = Tear.HALF
    seed: int = 0

    def __post_init__(self) -> None:
        if sum(number > 0 for number in self._numbers) != 1 or min(self._numbers) < 0:
            raise ValueError("one of operation, erase, program and byte is given, and counts from 1")

    @property
    def _numbers(self) -> tuple[int, int, int, int]:
        return self.operation, self.erase, self.program, self.byte

    def counts(self, *, is_erasure: bool) -> bool:
        """Whether it counts such operations of the flash."""
        return bool(self.operation or (self.erase if is_erasure else self.program))


@dataclass(frozen=True)
class WornSector:
    """A sector that will not erase: bits that are 0 stay so, `times` times, 0 for always. `sector` is its address."""

    sector: int
    times: int = 0


@dataclass(frozen=True)
class LeakySector:
    """A sector that loses bits: after a page was programmed one of its bits is 1 again, `times` times, 0 for always."""

    sector: int
    times: int = 0
    seed: int = 0


FlashFault = PowerCut | WornSector | LeakySector


class FlashFaults:
    """Says what each operation of a flash chip leaves, and counts them. `sector_bytes` is the size of its sectors."""

    def __init__(self, faults: Sequence[FlashFault], sector_bytes: int) -> None:
        self._sector_bytes = sector_bytes
        self._left = {fault: _times(fault) for fault in faults}  # -1: always

    def outcome(
        self, address: int, before: bytes, after: bytes, *, is_erasure: bool
    ) -> tuple[bytes, PowerCut | None]:
        """What is left of an operation that was to turn `before` into `after`, and what cuts the power in it."""
        sector = address // self._sector_bytes * self._sector_bytes
        cut = None
        for fault in list(self._left):
            if isinstance(fault, PowerCut):
                if fault.counts(is_erasure=is_erasure) and self._is_over(fault):
                    cut = fault
            elif fault.sector == sector and isinstance(fault, WornSector) == is_erasure and before != after:
                self._is_over(fault)
                after = (
                    before if isinstance(fault, WornSector) else _leaked(before, after, fault.seed + address)
                )
        if cut is None:
            return after, None
        return tear(cut.tear, before, after, Random(cut.seed), is_erasure=is_erasure), cut

    def _is_over(self, fault: FlashFault) -> bool:
        """Count it once more; whether this was the last time."""
        self._left[fault] -= 1
        return self._left[fault] == 0 and self._left.pop(fault) == 0


def _times(fault: FlashFault) -> int:
    if isinstance(fault, PowerCut):
        return fault.operation or fault.erase or fault.program or -1
    return fault.times or -1


def _leaked(before: bytes, after: bytes, seed: int) -> bytes:
    """One of the bits that were cleared is set again."""
    left = bytearray(after)
    at = Random(seed).choice(
        [at for at, (old, new) in enumerate(zip(before, after, strict=True)) if old != new]
    )
    cleared = before[at] & ~after[at]
    left[at] |= cleared & -cleared
    return bytes(left)
