"""What goes wrong when a chip starts, without I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Silent:
    """Nothing runs from the `start`-th start on, for `times` starts, 0 for always; the first one is the board's own."""

    start: int = 1
    times: int = 0


@dataclass(frozen=True)
class BootLoop:
    """Likewise, the application crashes before it says anything; each crash is followed by a start."""

    start: int = 1
    times: int = 0


StartFault = Silent | BootLoop


class StartFaults:
    """Counts the starts."""

    def __init__(self, faults: Sequence[StartFault] = ()) -> None:
        self._faults = faults
        self._starts = 0

    def next(self) -> None:
        """The chip starts."""
        self._starts += 1

    def has(self, kind: type[StartFault]) -> bool:
        """Whether this start has such a fault."""
        return any(
            isinstance(fault, kind)
            and fault.start <= self._starts
            and (not fault.times or self._starts < fault.start + fault.times)
            for fault in self._faults
        )
