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
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from typing import Any

from fctry.errors import DeviceError, FctryError, InputError, PortError
from fctry.provision.job import Job, OpenJob
from fctry.provision.record import Record, StepRecord
from fctry.provision.slots import Slot
from fctry.serialport import is_connected, port_at

POLL_S = 0.2


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
    ended.
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
        context = _context()
        self._events: Any = context.Queue()
        self._stopped = context.Event()
        self._labels: dict[Slot, Any] = {slot: context.Queue() for slot in slots}
        self._processes: dict[Slot, BaseProcess] = {
            slot: context.Process(  # type: ignore[attr-defined]
                target=_serve,
                args=(job, slot, self._events, self._stopped, self._labels[slot], is_endless),
                name=slot.name,
                daemon=True,
            )
            for slot in slots
        }

    @property
    def is_halted(self) -> bool:
        """Whether equal failures have stopped it."""
        return len(self._same) >= self._failures_max > 0

    def stop(self) -> None:
        """Let every slot finish its device, and begin no other."""
        self._stopped.set()

    def give_label(self, slot: Slot, text: str) -> None:
        """What was scanned for a slot that wanted it."""
        self._labels[slot].put(text)

    def abandon(self) -> None:
        """End every slot's process at once. What its device is in the ledger, it stays."""
        for process in self._processes.values():
            process.kill()

    def events(self) -> Iterator[Event]:
        """Start, and tell what happens until every slot has ended."""
        for process in self._processes.values():
            process.start()
        ended: set[Slot] = set()
        while len(ended) < len(self._slots):
            try:
                event: Event | Slot = self._events.get(timeout=POLL_S)
            except queue.Empty:
                for slot in set(self._slots) - ended:
                    if why := self._why_ended(slot):
                        ended.add(slot)
                        yield Event(slot, Untried(why))
                continue
            if isinstance(event, Slot):
                ended.add(event)
                continue
            self.count(event)
            yield event
        for process in self._processes.values():
            process.join()

    def _why_ended(self, slot: Slot) -> str:
        process, last = self._processes[slot], self._steps.get(slot)
        after = f", after the step {last}" if last else ""
        if time.monotonic() > self._ends_s.get(slot, inf):
            process.kill()
            return f"its device did not come to an end within {self._bound_s:.0f} s{after}"
        if process.is_alive() or not self._events.empty():
            return ""
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
        if not isinstance(event.what, Record):
            return
        said = event.what.reason
        if not said or (self._same and self._same[-1] != said):
            self._same.clear()
        if said:
            self._same.append(said)
        if self.is_halted:
            self.stop()


def _context() -> BaseContext:
    if sys.platform == "win32":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["fctry.provision.line"])  # Python and esptool are loaded once
    return context


def _serve(job: Job, slot: Slot, events: Any, stopped: Any, labels: Any, is_endless: bool) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the station decides what becomes of its slots

    def tell(what: What) -> None:
        events.put(Event(slot, what))

    def scan() -> str:
        tell(LabelWanted())
        while not stopped.is_set():
            with suppress(queue.Empty):
                return str(labels.get(timeout=POLL_S))
        return ""

    try:
        with job.opened() as opened:
            waits = is_endless and job.scan != "before"  # else a label starts the next device
            while not stopped.is_set():
                if waits and not is_connected(slot.place):
                    tell(Waiting(is_empty=True))
                    _await(slot, stopped, is_there=True)
                if not stopped.is_set():
                    _take(opened, slot, tell, scan)
                if not is_endless:
                    break
                if waits:
                    tell(Waiting(is_empty=False))
                    _await(slot, stopped, is_there=False)
    except FctryError as error:
        tell(Untried(str(error), error.hint))
    finally:
        events.put(slot)


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
    except (PortError, DeviceError, InputError) as error:
        tell(Untried(str(error), error.hint))


def _await(slot: Slot, stopped: Any, *, is_there: bool) -> None:
    """Wait until a board has come, or has gone."""
    while not stopped.is_set() and is_connected(slot.place) != is_there:
        time.sleep(POLL_S)
