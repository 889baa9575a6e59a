"""Devices of which a CSV says all: drawn, and their images written, by all cores before anybody asks for them.

What they are does not depend on the ledger. Their images are where nobody takes them for a device's until the ledger
has agreed, and the manifest names them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from types import MappingProxyType

from fctry.errors import InputError
from fctry.identity.csv_devices import Devices, Look
from fctry.identity.draft import Context, CounterRange, Draft
from fctry.identity.writers import Writers
from fctry.nvs.item import Value

FIRST = 5000  # devices that are written before the last one is checked: a refusal has to remove them again
_LOOK = "look"  # what a context has prepared


class Foreseen:
    """Their drawer and their writer, in one. `folder` is where images go at first."""

    def __init__(self, writers: Writers, devices: Devices, count: int, folder: str) -> None:
        self._writers = writers
        self._devices = devices
        self._count = count
        self._folder = folder
        self._looks: dict[int, Look] = {}
        self._digests: dict[str, str] = {}

    def begin(self, *, is_new: bool) -> Iterator[Look | InputError]:
        """Begin to look at all devices, and to write the first images where the batch is new. See `Devices.check`."""
        first = range(1, min(self._count, FIRST) + 1) if is_new else range(1, 1)
        return self._begun(first, self._look(first))

    def _begun(self, first: range, looks: Iterator[Look | InputError]) -> Iterator[Look | InputError]:
        for number, look in zip(first, looks, strict=True):
            if isinstance(look, Look):
                self._looks[number] = look
            yield look
        yield from self._writers.look(range(first.stop, len(self._devices.rows) + 1))

    def _look(self, numbers: range) -> Iterator[Look | InputError]:
        if numbers:
            Path(self._folder).mkdir(parents=True, exist_ok=True)
        return self._writers.look(numbers, self._folder)

    # -- as a drawer

    @property
    def counters(self) -> Mapping[str, CounterRange]:
        return {}

    def chunks(self, numbers: Iterable[int], size: int) -> Iterator[dict[int, Look]]:
        """The looks at these devices by their numbers, so many at once; their images are written, no other begun."""
        numbers = iter(numbers)
        while some := list(islice(numbers, size)):
            for part in _ranges(number for number in some if number not in self._looks):
                for number, look in zip(part, self._look(part), strict=True):
                    if isinstance(look, InputError):
                        raise look
                    self._looks[number] = look
            chunk = {number: self._looks.pop(number) for number in some}
            self._digests.update((look.name, look.sha256) for look in chunk.values())
            yield chunk

    def context(self, context: Context, look: Look) -> Context:
        """The one that a device is drawn in."""
        return context._replace(prepared={_LOOK: look})

    def draw(
        self, counters: Mapping[str, int], context: Context, kept: Mapping[str, Value] = MappingProxyType({})
    ) -> Draft:
        look: Look = context.prepared[_LOOK]
        return look.draft

    def draw_each(self, counters: Sequence[Mapping[str, int]], contexts: Sequence[Context]) -> list[Draft]:
        """A device for each of these, in order."""
        return list(map(self.draw, counters, contexts))

    # -- as a writer

    def write(self, folder: str, devices: Iterable[tuple[str, Draft]]) -> Iterator[str]:
        """The SHA-256 of each plain image, whose file is there."""
        return (self._digests.pop(name) for name, _ in devices)

    def move(self, files: Sequence[str], folder: str) -> Iterator[None]:
        """Begin to move files into a folder; ends when they are there."""
        return self._writers.move(files, folder)


def _ranges(numbers: Iterable[int]) -> Iterator[range]:
    """Numbers that follow each other, together."""
    first = last = 0
    for number in numbers:
        if number != last + 1 and last:
            yield range(first, last + 1)
            first = 0
        first, last = first or number, number
    if last:
        yield range(first, last + 1)
