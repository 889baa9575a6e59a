"""The firmware's console: events, reports and answers to commands, over anything that sends and that gives lines.

A `Chip` is such a wire, pytest-embedded's `dut` with the plugin another, and a `FakeConsole` a third, for tests.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Protocol, TypeVar

from fctry.device.commands import Answer, Challenge, Command
from fctry.device.deadline import Deadline
from fctry.device.proof import Name, name_of
from fctry.device.report import Event, Report, parse_line
from fctry.device.report_watch import ReportWatch
from fctry.errors import DeviceError
from fctry.nvs.item import Item

_T = TypeVar("_T")


class Wire(Protocol):
    """What a person at a monitor has."""

    def send(self, data: bytes) -> None:
        """Send bytes. Raises PortError."""

    def lines(self, deadline: Deadline) -> Iterator[bytes]:
        """Lines without line ends, as they come. A caller may stop in between; the next call goes on after it."""


class Console:
    """A console of the reference firmware. Every method raises ReportError for a damaged report line, and PortError.

    `on_line` gets every line. `is_ready` is whether the firmware takes commands, as far as it has been heard.
    """

    def __init__(self, wire: Wire, on_line: Callable[[str], None] | None = None) -> None:
        self._wire = wire
        self._on_line = on_line
        self._watch: ReportWatch | None = None
        self.is_ready = False

    def events(self, deadline: Deadline) -> Iterator[Event]:
        """The report lines that come until then."""
        for line in self._wire.lines(deadline):
            if self._on_line is not None:
                self._on_line(line.decode(errors="replace"))
            if self._watch is not None:
                self._watch.listen(line)
            event = parse_line(line)
            if event is None:
                continue
            if event.name in ("boot", "ready"):
                self.is_ready = event.name == "ready"
            yield event

    def expect(self, names: Collection[str], deadline: Deadline) -> Event:
        """The next event with one of these names. Raises DeviceError when none comes in time."""
        event = self._take(lambda event: event if event.name in names else None, deadline)
        return self._come(event, f"say {' or '.join(names)}", deadline)

    def report(self, partition: str, deadline: Deadline) -> Report:
        """The next whole report on a partition.

        Raises DeviceError when none comes in time, and as soon as the device has said that none will come: it is ready
        without one, starts over and over, or has no application.
        """
        watch = self._watch = ReportWatch(partition)
        try:
            report = self._take(watch.feed, deadline)
        finally:
            self._watch = None
        return self._come(report, f"report its partition '{partition}'", deadline)

    def wait_until_ready(self, deadline: Deadline) -> bool:
        """Listen until the console takes commands: what is typed while a device boots may be lost."""
        return self.is_ready or any(self.is_ready for _ in self.events(deadline))

    def ask(self, text: str, deadline: Deadline) -> Answer:
        """Give a command and return its answer. Raises DeviceError when it does not come to its end in time."""
        answer = self._ask(Command(text), deadline)
        return self._come(answer, f"answer the command {text.split()[0]}", deadline)

    def tell(self, text: str, until: Collection[str], deadline: Deadline) -> Event:
        """Give a command, and return the next event with one of these names, whoever caused it. Raises as `expect`."""
        self.wait_until_ready(deadline)
        self._wire.send(text.encode() + b"\n")
        return self.expect(until, deadline)

    def prove(self, items: Iterable[Item], deadline: Deadline) -> dict[Name, bool]:
        """Let the firmware prove that it has these items: whether each is as written.

        Items without a proof are left out: those for which it is not possible, and what is not there. A firmware that
        does not answer is not asked again.
        """
        proofs: dict[Name, bool] = {}
        for item in filter(Challenge.is_possible, items):
            challenge = Challenge(item)
            answer = self._ask(challenge.command, deadline)
            if answer is None:
                break
            verdict = challenge.verdict(answer)
            if verdict is not None:
                proofs[name_of(item)] = verdict
        return proofs

    def _ask(self, command: Command, deadline: Deadline) -> Answer | None:
        if not self.wait_until_ready(deadline):
            return None
        self._wire.send(command.line)
        return self._take(command.feed, deadline)

    def _take(self, feed: Callable[[Event], _T | None], deadline: Deadline) -> _T | None:
        """What `feed` makes of the next events, None when it makes nothing of them in time."""
        return next((taken for taken in map(feed, self.events(deadline)) if taken is not None), None)

    def _come(self, what: _T | None, name: str, deadline: Deadline) -> _T:
        if what is not None:
            return what
        raise DeviceError(
            f"the firmware did not {name} within {deadline.timeout_s:g} s",
            hint="look at the console (`python -m serial.tools.miniterm PORT 115200`): does it boot, and is it "
            "firmware with the factory_data component?",
        )
