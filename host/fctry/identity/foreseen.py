"""Devices of which a CSV says all: drawn, and their images written, by all cores while this process does other things.

What they are does not depend on the ledger. Their images are where nobody takes them for a device's until the ledger
has agreed, and the manifest names them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from types import MappingProxyType

from fctry.errors import InputError
from fctry.identity.csv_devices import Devices, Look
from fctry.identity.draft import Context, CounterRange, Draft
from fctry.identity.writers import Made, Writers
from fctry.nvs.item import Value

KEPT = 5000  # devices that are not drawn once more: they take as much memory as all others
_MADE = "made"  # what a context has prepared


class Foreseen:
    """Their drawer and their writer, in one. `folder` is where images go at first."""

    def __init__(self, writers: Writers, devices: Devices, folder: str) -> None:
        self._writers = writers
        self._devices = devices
        self._folder = folder
        self._names: dict[int, str] = {}
        self._digests: dict[str, str] = {}

    def looks(self) -> Iterator[Look | InputError]:
        """Begin to look at all devices. See `Devices.check`."""
        count = len(self._devices.rows)
        kept = 0 if self._devices.is_drawn else min(count, KEPT)
        first = self._writers.look(range(1, kept + 1), keep=True)
        return self._looks(first, range(kept + 1, count + 1))

    def _looks(self, first: Iterator[Look | InputError], others: range) -> Iterator[Look | InputError]:
        yield from first
        yield from self._writers.look(others, keep=False)

    # -- as a drawer

    @property
    def counters(self) -> Mapping[str, CounterRange]:
        return {}

    def chunks(self, numbers: Iterable[int], size: int) -> Iterator[dict[int, Made]]:
        """The devices of these numbers, so many at once; their images are written, and the next ones begun."""
        numbers = iter(numbers)
        some = list(islice(numbers, size))
        made = self._writers.make(self._folder, some)
        while some:
            following = list(islice(numbers, size))
            begun = self._writers.make(self._folder, following)
            chunk = dict(zip(some, made, strict=True))
            self._names = {number: one.name for number, one in chunk.items()}
            self._digests = {one.name: one.sha256 for one in chunk.values()}
            yield chunk
            some, made = following, begun

    def context(self, context: Context, made: Made) -> Context:
        """The one that a device is drawn in."""
        return Context(context.now, context.lot, context.line, prepared={_MADE: made})

    def draw(
        self, counters: Mapping[str, int], context: Context, kept: Mapping[str, Value] = MappingProxyType({})
    ) -> Draft:
        made: Made = context.prepared[_MADE]
        return made.draft

    def draw_each(self, counters: Sequence[Mapping[str, int]], contexts: Sequence[Context]) -> list[Draft]:
        """A device for each of these, in order."""
        return list(map(self.draw, counters, contexts))

    # -- as a writer

    def name(self, number: int, draft: Draft) -> str:
        """That of a device's file."""
        return self._names[number]

    def write(self, folder: str, devices: Iterable[tuple[str, Draft]]) -> Iterator[str]:
        """The SHA-256 of each plain image, whose file is there."""
        return (self._digests[name] for name, _ in devices)

    def move(self, names: Sequence[str], source: str, folder: str) -> Iterator[None]:
        """Begin to move files of these names from one folder to another; ends when they are there."""
        return self._writers.move(names, source, folder)
