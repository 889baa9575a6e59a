"""A deadline: one end for a whole run, handed down, instead of a time-out that starts anew at every step."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Deadline:
    """The moment `timeout_s` seconds after it was made by `after`. Keeps to the monotonic clock."""

    timeout_s: float
    end_s: float

    @classmethod
    def after(cls, timeout_s: float) -> Deadline:
        """The deadline that is `timeout_s` seconds from now."""
        return cls(timeout_s, time.monotonic() + timeout_s)

    @property
    def remaining_s(self) -> float:
        """Seconds that are left, 0 when it has expired."""
        return max(0.0, self.end_s - time.monotonic())

    @property
    def is_expired(self) -> bool:
        """Whether nothing is left."""
        return self.remaining_s == 0
