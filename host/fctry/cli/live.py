"""What a line does, as it does it: a row a slot on a terminal, a line a device elsewhere."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from io import TextIOWrapper
from pathlib import Path
from queue import SimpleQueue
from time import monotonic
from types import FrameType
from typing import TextIO

from rich import box
from rich.live import Live
from rich.table import Table
from rich.text import Text

from fctry.cli.console import Console
from fctry.cli.text import counted, escaped
from fctry.errors import InputError
from fctry.provision.line import Began, Event, LabelWanted, Line, Untried, Waiting
from fctry.provision.record import Record, StepRecord
from fctry.provision.record_files import RecordFolder
from fctry.provision.slots import Slot

VERDICTS = {  # to be read from a step away
    "PASS": ("bold white on green4", "█▀█ █▀█ █▀▀ █▀▀\n█▀▀ █▀█ ▀▀█ ▀▀█\n▀   ▀ ▀ ▀▀▀ ▀▀▀"),
    "FAIL": ("bold white on red3", "█▀▀ █▀█ ▀█▀ █  \n█▀  █▀█  █  █  \n▀   ▀ ▀ ▀▀▀ ▀▀▀"),
}
REFRESHES_PER_S = 8


@dataclass
class Summary:
    """What became of a run."""

    records: list[Record] = field(default_factory=list)
    untried: list[tuple[Slot, Untried]] = field(default_factory=list)
    unwritten: int = 0  # devices that were tried, and whose records could not be written
    is_interrupted: bool = False  # by Ctrl-C
    began_s: float = field(default_factory=monotonic)

    @property
    def failed(self) -> list[Record]:
        return [record for record in self.records if record.failed]

    def __str__(self) -> str:
        seconds = monotonic() - self.began_s
        lost = f"{counted(self.unwritten, 'device')} tried, but without a record: see `fctry ledger show`"
        if not self.records:
            return lost if self.unwritten else f"no device was tried in {seconds:.1f} s"
        passed = len(self.records) - len(self.failed)
        total = len(self.records)
        said = (
            f"{passed} of {counted(total, 'device')} proven ({passed / total:.0%}) in {seconds:.1f} s, "
            f"{seconds / total:.2f} s a device"
        )
        return f"{said}; {lost}" if self.unwritten else said


@dataclass
class _Row:
    """What is known of a slot."""

    step: str = "starts"
    identity: str = ""
    verdict: str = ""
    began_s: float = field(default_factory=monotonic)
    took_s: float | None = None


def show(line: Line, slots: Sequence[Slot], folder: Path | None, *, is_scanning: bool = False) -> Summary:
    """Let a line work, show it, and write its records. Ctrl-C lets what runs come to its end; again, it does not.

    `is_scanning`: labels come from the keyboard.
    """
    summary, files = Summary(), RecordFolder(folder) if folder else None
    rows = {slot: _Row() for slot in slots}
    console = Console()
    with ExitStack() as stack:
        stack.callback(signal.signal, signal.SIGINT, signal.signal(signal.SIGINT, _interrupt(line, summary)))
        live, scanned = None, _Scanner(line)
        if is_scanning:
            stack.enter_context(_unseen(sys.stdin))
        if console.is_terminal:
            live = stack.enter_context(Live(console=console, refresh_per_second=REFRESHES_PER_S))
        for told in line.events():
            event = _written(told, files, line, summary)
            _note(event, rows[event.slot], summary)
            if isinstance(event.what, LabelWanted):
                scanned.want(event.slot)
            if live:
                live.update(_table(rows, summary))
            else:
                _print_plain(event)
    if live:
        for record in summary.failed:
            _print_failure(record)
    for slot, one in summary.untried:
        print(f"error: {escaped(slot.name)}: {escaped(one.error)}", file=sys.stderr)
        print(f"hint: {escaped(one.hint)}" if one.hint else "", file=sys.stderr, end="\n" if one.hint else "")
    if line.is_halted:
        print("stopped: the same failure again and again is not the boards' (--failures)", file=sys.stderr)
    print(summary)
    if files:
        with suppress(InputError) if summary.unwritten else nullcontext():  # that was said already
            files.finish(summary.records)
            print(f"records: {files.folder}")
    return summary


def _written(event: Event, files: RecordFolder | None, line: Line, summary: Summary) -> Event:
    """The event, once its record is in its file; where that cannot be, nobody sees PASS, and no other board begins."""
    if not files or not isinstance(event.what, Record):
        return event
    try:
        files.add(event.what)
    except InputError as error:
        line.stop()
        summary.unwritten += 1
        hint = f"{error.hint}; the ledger has the records: fctry record export -o FOLDER"
        return Event(event.slot, Untried(str(error), hint))
    return event


@contextmanager
def _unseen(keyboard: TextIO) -> Iterator[None]:
    """What is typed is not shown: a scanned label may say a secret. Windows shows it."""
    if sys.platform == "win32" or not keyboard.isatty():
        yield
        return
    import termios

    before = termios.tcgetattr(keyboard)
    unseen = [*before]
    unseen[3] &= ~termios.ECHO
    termios.tcsetattr(keyboard, termios.TCSADRAIN, unseen)
    try:
        yield
    finally:
        termios.tcsetattr(keyboard, termios.TCSADRAIN, before)


class _Scanner:
    """Reads a line when a slot wants a label, for one slot after the other: a scanner is a keyboard."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._wanted: SimpleQueue[Slot] = SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def want(self, slot: Slot) -> None:
        print(f"scan the label of {escaped(slot.name)}", file=sys.stderr, flush=True)
        self._wanted.put(slot)

    def _read(self) -> None:
        if isinstance(sys.stdin, TextIOWrapper):  # what a scanner in Latin-1 types is a label that nobody has
            sys.stdin.reconfigure(errors="replace")
        while True:
            slot, text = self._wanted.get(), ""
            while not text:
                read = sys.stdin.readline()
                if not read:  # nobody is there any more
                    self._line.stop()
                    return
                text = read.strip()
            self._line.give_label(slot, text)


def _interrupt(line: Line, summary: Summary) -> Callable[[int, FrameType | None], None]:
    presses = 0

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal presses
        presses += 1
        summary.is_interrupted = True
        if presses == 1:
            print("\nfinishing what runs; Ctrl-C again abandons it", file=sys.stderr)
            line.stop()
        else:
            line.abandon()

    return stop


def _note(event: Event, row: _Row, summary: Summary) -> None:
    what = event.what
    if isinstance(what, StepRecord):
        row.step = f"{what.name}: {what.did or 'FAILED'}"
    elif isinstance(what, Record):
        summary.records.append(what)
        row.verdict, row.took_s = ("FAIL" if what.failed else "PASS"), what.seconds
        row.identity = _identity(what)
        row.step = what.failed.error if what.failed else ""
    elif isinstance(what, Began):
        row.step, row.verdict, row.identity, row.began_s, row.took_s = "connect", "", "", monotonic(), None
    elif isinstance(what, LabelWanted):
        row.step = "scan the label"
    elif isinstance(what, Waiting):
        wish = "put in the next board" if what.is_empty else "take the board out"
        row.step = "\n".join(filter(None, [row.verdict and row.step.partition("\n")[0], wish]))
    else:
        summary.untried.append((event.slot, what))
        row.step, row.verdict, row.took_s = what.error, "", 0.0


def _identity(record: Record) -> str:
    said = [f"device {record.device}"] if record.device is not None else []
    return "\n".join([*said, *(f"{name} {text}" for name, text in record.public.items())])


def _table(rows: dict[Slot, _Row], summary: Summary) -> Table:
    table = Table(box=box.SIMPLE_HEAD, expand=True, caption=str(summary), show_lines=True)
    table.add_column("slot", style="bold", no_wrap=True)
    table.add_column("identity", ratio=3, overflow="fold")
    table.add_column("step", ratio=4, overflow="fold")
    table.add_column("time", justify="right", no_wrap=True)
    table.add_column("", width=17)
    for slot, row in rows.items():
        style, letters = VERDICTS.get(row.verdict, ("", ""))
        took_s = monotonic() - row.began_s if row.took_s is None else row.took_s
        big = Text("\n".join(f" {one} " for one in letters.splitlines()), style)
        table.add_row(Text(escaped(slot.name)), _text(row.identity), _text(row.step), f"{took_s:.1f} s", big)
    return table


def _text(said: str) -> Text:
    return Text("\n".join(map(escaped, said.splitlines())))


def _print_plain(event: Event) -> None:
    if isinstance(event.what, Record):
        if event.what.failed:
            _print_failure(event.what)
            return
        named = ", ".join(_identity(event.what).splitlines())
        print(escaped(f"PASS {event.slot.name}: {named} ({event.what.seconds:.2f} s)"), flush=True)


def _print_failure(record: Record) -> None:
    failed = record.failed
    assert failed
    named = ", ".join(_identity(record).splitlines()) or record.chip.get("mac", "")
    said = [f"FAIL {record.about.get('slot', '')}", named, failed.name, failed.error]
    print(escaped(": ".join(filter(None, said))), flush=True)
    print(escaped(f"     {failed.hint}"), flush=True)
