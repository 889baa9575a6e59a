"""Where a device may be written: nothing is written without a permit, and a permit is made where that was checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fctry.errors import DeviceError


@dataclass(frozen=True)
class Permit:
    """Addresses of one device's flash that may be written.

    It is for those to make who have compared the device's own partition table, or have written one.
    """

    ranges: Sequence[range]

    def check(self, writes: Sequence[tuple[int, bytes]]) -> None:
        """Raise DeviceError for a write of (address, data) that is not wholly within one range."""
        for address, data in writes:
            last = address + max(len(data), 1) - 1
            if not any(address in one and last in one for one in self.ranges):
                raise DeviceError(
                    f"nobody has checked what this device has at {address:#x} to {last:#x}: nothing was written",
                    hint="compare its partition table first",
                )
