"""What a test asks of a device whose firmware runs, whoever holds its port: pytest-embedded or a station."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from fctry.device.deadline import Deadline

if TYPE_CHECKING:
    from fctry.device.commands import Answer
    from fctry.device.console import Console
    from fctry.device.report import Event, Report
    from fctry.partitions.table import Partition

REPORT_TIMEOUT_S = 60.0  # QEMU reads a full partition for 20 s; a device that answers costs no time


class DeviceUnderTest:
    """A device by its console. The factory partition is `partition`."""

    partition: Partition

    @property
    def console(self) -> Console:
        """The firmware's console."""
        raise NotImplementedError

    def report(self, timeout_s: float = REPORT_TIMEOUT_S) -> Report:
        """The next whole report on the factory partition. Raises as `fctry.device.Console.report` does."""
        return self.console.report(self.partition.name, Deadline.after(timeout_s))

    def expect_event(self, name: str, timeout_s: float = REPORT_TIMEOUT_S) -> Event:
        """The next report line with this event. Raises as `fctry.device.Console.expect` does."""
        return self.console.expect((name,), Deadline.after(timeout_s))

    def ask(self, command: str, timeout_s: float = REPORT_TIMEOUT_S) -> Answer:
        """Give a command to the firmware's console and return its answer. Raises as `Console.ask` does."""
        return self.console.ask(command, Deadline.after(timeout_s))

    def tell(self, command: str, *, until: Collection[str], timeout_s: float = REPORT_TIMEOUT_S) -> Event:
        """Give a command to the console, and return the next event with one of these names."""
        return self.console.tell(command, until, Deadline.after(timeout_s))
