"""Many slots at once: a process for each, which tells what happens in it, and takes one device after the other.

esptool is not made for threads, and a process that hangs or dies takes no other slot with it.
"""

from __future__ import annotations

import multiprocessing
import queue
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from math import inf
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from typing import Any, cast

from fctry.errors import FctryError
from fctry.provision.job import Job, OpenJob
from fctry.provision.record import Record, StepRecord
from fctry.provision.slots import Slot
from fctry.serialport import is_connected, port_at

POLL_S = 0.2
# what Python loads once for all slots, and not again for each
LOADED_ONCE = (
    "fctry.provision.line",
    "fctry.partitions.additions",
    "fctry.partitions.csv",
    "fctry.partitions.sdkconfig",
    "fctry.partitions.source",
    "stdnum.iso7064",
)
LOADED_FOR_TESTS = "fctry.provision.product_tests"


@dataclass(frozen=True)
class Untried:
    """A device could not be tried: the port is not there, the ledger is not, or the slot's process has ended."""

    error: str
    hint: str = ""


@dataclass(frozen=True)
class Waiting:
    """The slot waits for its next board, or, where it is not empty, for this one to be taken out."""

    is_empty: bool


@dataclass(frozen=True)
class LabelWanted:
    """The slot waits for the label of its device to be scanned."""


@dataclass(frozen=True)
class Began:
    """The slot has a device in hand."""


@dataclass(frozen=True)
class _Ended:
    """The slot has come to its end by itself."""


What = StepRecord | Record | Untried | Waiting | LabelWanted | Began


@dataclass(frozen=True)
class Event:
    """What happened in a slot."""

    slot: Slot
    what: What


class Line:
    """The slots of a station at work.

    With `is_endless`, each slot takes boards until `stop`, else one. After `failures_max` equal failures in a row, in
    whichever slots, the line stops: then it is not the boards. A slot whose device takes more than `bound_s` seconds is
    ended; with `is_endless` it comes back for the next board, as it does when its process dies.
    """

    def __init__(
        self,
        job: Job,
        slots: Sequence[Slot],
        *,
        is_endless: bool = False,
        failures_max: int = 3,
        bound_s: float = inf,
    ) -> None:
        self._job, self._slots, self._is_endless = job, slots, is_endless
        self._failures_max = failures_max
        self._same: list[str] = []
        self._bound_s = bound_s
        self._steps: dict[Slot, str] = {}  # what the device in each slot did last
        self._ends_s: dict[Slot, float] = {}  # when each slot that has a device must have done with it
        self._context = _context(has_tests=job.tests is not None)
        # no event: its lock would be held by a process that is killed, or by what Ctrl-C has interrupted
        self._stopped = self._context.RawValue("b")
        self._is_abandoned = False
        self._labels: dict[Slot, Any] = {}
        self._processes: dict[Slot, BaseProcess] = {}

    @property
    def is_halted(self) -> bool:
        """Whether equal failures have stopped it."""
        return len(self._same) >= self._failures_max > 0

    def stop(self) -> None:
        """Let every slot finish its device, and begin no other."""
        self._stopped.value = 1

    def give_label(self, slot: Slot, text: str) -> None:
        """What was scanned for a slot that wanted it."""
        self._labels[slot].put(text)

    def abandon(self) -> None:
        """End every slot's process at once. What its device is in the ledger, it stays."""
        self.stop()
        self._is_abandoned = True
        for process in self._processes.values():
            if process.pid is not None:  # else it is just being started
                process.kill()

    def events(self) -> Iterator[Event]:
        """Start, and tell what happens until every slot has ended."""
        pipes = {self._start(slot): slot for slot in self._slots}
        while pipes:
            for pipe in cast("list[Connection]", wait(list(pipes), POLL_S)):
                slot = pipes[pipe]
                what = self._told(slot, pipe)
                if isinstance(what, _Ended | str):
                    del pipes[pipe]
                if isinstance(what, _Ended):
                    self._processes[slot].join()
                    continue
                event = Event(slot, Untried(what) if isinstance(what, str) else what)
                self.count(event)
                yield event
                if isinstance(what, str) and self._is_endless and not self._stopped.value:
                    pipes[self._start(slot, is_occupied=True)] = slot
            self._end_late_slots()

    def _start(self, slot: Slot, *, is_occupied: bool = False) -> Connection:
        """Start the slot's process. Returns what it tells."""
        ours, theirs = self._context.Pipe(duplex=False)
        labels = self._labels[slot] = self._context.Queue()
        said = (self._job, slot, theirs, self._stopped, labels, self._is_endless, is_occupied)
        process = self._context.Process(target=_serve, args=said, name=slot.name, daemon=True)  # type: ignore[attr-defined]
        self._processes[slot] = process
        with _without_interrupts():
            process.start()
        if self._is_abandoned:
            process.kill()
        theirs.close()  # so that ours ends with the process
        return ours

    def _end_late_slots(self) -> None:
        for slot, end_s in self._ends_s.items():
            if time.monotonic() > end_s:
                self._processes[slot].kill()

    def _told(self, slot: Slot, pipe: Connection) -> What | _Ended | str:
        """What the slot tells next; in words why it tells nothing any more, where it has not come to its end."""
        try:
            what: What | _Ended = pipe.recv()
            return what
        except (EOFError, OSError):  # at times in the middle of a word
            process, last = self._processes[slot], self._steps.get(slot)
        after = f", after the step {last}" if last else ""
        is_late = time.monotonic() > self._ends_s.get(slot, inf)
        process.join()
        if is_late:
            return f"its device did not come to an end within {self._bound_s:.0f} s{after}"
        return f"the slot's process has ended ({process.exitcode}){after}"

    def count(self, event: Event) -> None:
        """Take notice of an event; `events` does."""
        if isinstance(event.what, Began):
            self._ends_s[event.slot] = time.monotonic() + self._bound_s
        elif isinstance(event.what, StepRecord):
            self._steps[event.slot] = f"{event.what.name}: {event.what.did or 'failed'}"
        else:
            self._ends_s.pop(event.slot, None)
            self._steps.pop(event.slot, None)
        if isinstance(event.what, Record):
            said = event.what.reason
        elif isinstance(event.what, Untried) and self._is_endless:
            said = event.what.error.replace(f" {event.slot.place}", "")
        else:
            return
        if not said or (self._same and self._same[-1] != said):
            self._same.clear()
        if said:
            self._same.append(said)
        if self.is_halted:
            self.stop()


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Let Ctrl-C wait. Processes that begin meanwhile never see it, not even in their first moment."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _context(*, has_tests: bool) -> BaseContext:
    if sys.platform == "win32":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*LOADED_ONCE, *[LOADED_FOR_TESTS] * has_tests])
    return context


def _serve(
    job: Job, slot: Slot, pipe: Connection, stopped: Any, labels: Any, is_endless: bool, is_occupied: bool
) -> None:
    """The slot's process. `is_occupied`: the board that is in it has ended the process before."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the station decides what becomes of its slots

    def tell(what: What | _Ended) -> None:
        pipe.send(what)

    def scan() -> str:
        tell(LabelWanted())
        while not stopped.value:
            with suppress(queue.Empty):
                return str(labels.get(timeout=POLL_S))
        return ""

    def await_board(*, is_there: bool) -> None:
        if waits and is_connected(slot.place) != is_there:
            tell(Waiting(is_empty=is_there))
            while not stopped.value and is_connected(slot.place) != is_there:
                time.sleep(POLL_S)

    waits = is_endless and job.scan != "before"  # else a label starts the next device
    try:
        with job.opened(is_checked=True) as opened:
            if is_occupied:
                await_board(is_there=False)
            while not stopped.value:
                await_board(is_there=True)
                if not stopped.value:
                    _take(opened, slot, tell, scan)
                if not is_endless:
                    break
                await_board(is_there=False)
    except FctryError as error:
        tell(Untried(str(error), error.hint))
    tell(_Ended())


def _take(opened: OpenJob, slot: Slot, tell: Callable[[What], None], scan: Callable[[], str]) -> None:
    """One device, with the hooks around it. What is wrong with the station is no device's fault."""
    try:
        label = scan() if opened.job.scan == "before" else ""
        if opened.job.scan == "before" and not label:  # stopped
            return
        port = port_at(slot.place)
        opened.hook("before", opened.about(port, slot.name), slot=slot.name, port=port)
        tell(Began())
        _, record = opened.take(port, tell, slot=slot.name, label=label, scan=scan)
        tell(record)
        opened.hook("failed" if record.failed else "passed", record.as_dict(), slot=slot.name, port=port)
    except FctryError as error:
        tell(Untried(str(error), error.hint))
