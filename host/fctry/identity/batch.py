"""Many devices at once: reserved in the ledger, their images in a folder, and gone on with after any interruption.

A device of the batch is known by its number. What the ledger has reserved and the folder has not got is built again
with the same public values and fresh secrets; what the folder has is never touched again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from fctry.errors import InputError
from fctry.identity.ahead import Ahead
from fctry.identity.batch_folder import BatchFolder
from fctry.identity.draft import Context, Draft, Preparer, Product
from fctry.identity.foreseen import Foreseen
from fctry.identity.writers import Writers

if TYPE_CHECKING:
    from fctry.identity.ledger import Ledger, Reserved

CHUNK = 5000  # devices that are reserved, written and recorded together: what a crash has to do again,
CHUNK_S = 2.0  # or as many as are prepared in this time
TURN = 50  # devices that are renewed while others wait for the ledger


@dataclass(frozen=True)
class Batch:
    """What a batch is made of.

    `name` is that of a device's file, `context` what is known of the device of a number, counted from 1.
    """

    product: Product
    drawer: Preparer
    count: int
    context: Callable[[int], Context]
    name: Callable[[int, Draft], str]


def make_batch(
    batch: Batch,
    ledger: Ledger | None,
    folder: BatchFolder,
    writers: Writers,
    foreseen: Foreseen | None = None,
) -> Iterator[int]:
    """Make the images that are still missing; yields how many are there, chunk by chunk.

    `foreseen` are devices that do not depend on the ledger. Without one nothing is counted or kept unique:
    `Devices.check` has seen to that, for these devices alone. Raises InputError for a value that was handed out before
    or does not fit, LedgerError, OSError. What was yielded is safe; the same call goes on from there.
    """
    reserved = ledger.numbers(folder.batch) if ledger else {}
    beyond = max(max(folder.done, default=0), max(reserved, default=0))
    if beyond > batch.count:
        raise InputError(
            f"the batch has {beyond} devices already, more than {batch.count}",
            hint=f"go on with --count {beyond} or more",
            file=folder.folder,
        )
    if ledger and folder.is_witness:
        ledger.check_witness_of([folder.folder])
    yield len(folder.done)
    with Ahead(batch.drawer) as drawer:
        making = _Making(batch, drawer, folder, writers, foreseen)
        yield from making.recorded(ledger, reserved) if ledger else making.unrecorded()


@dataclass(frozen=True)
class _Making:
    batch: Batch
    drawer: Ahead
    folder: BatchFolder
    writers: Writers
    foreseen: Foreseen | None

    def unrecorded(self) -> Iterator[int]:
        numbers = (number for number in range(1, self.batch.count + 1) if number not in self.folder.done)
        if self.foreseen:
            for chunk in self.foreseen.chunks(numbers, CHUNK):
                devices = ((number, made.name, made.draft) for number, made in chunk.items())
                self.folder.add(devices, self.foreseen)
                yield len(self.folder.done)
            return
        for contexts in self._chunks(numbers):
            drawn = ((number, self.drawer.draw({}, context)) for number, context in contexts.items())
            self.folder.add(_named(drawn, self.batch.name), self.writers)
            yield len(self.folder.done)

    def recorded(self, ledger: Ledger, reserved: Mapping[int, tuple[int, str]]) -> Iterator[int]:
        done, batch = self.folder.done, self.batch
        late = {number for number in done if number in reserved and reserved[number][1] == "reserved"}
        if late:  # the images were safe, the power failed before the ledger knew
            lines = (line for line in self.folder.lines() if line.number in late)
            ledger.record({reserved[line.number][0]: line.sha256 for line in lines}, "built")
            self.folder.remember(ledger.witness())
        for chunk in self._chunks(number for number in sorted(reserved) if number not in done):
            yield self._record(ledger, self._renewed(ledger, reserved, chunk))
        new = (number for number in range(1, batch.count + 1) if number not in reserved)
        chunks = self._made(new, self.foreseen) if self.foreseen else self._chunks(new)
        for chunk in chunks:
            devices = ledger.reserve(
                batch.product,
                self.foreseen or self.drawer,
                list(chunk.values()),
                batch=self.folder.batch,
                numbers=list(chunk),
            )
            yield self._record(ledger, devices, self.foreseen)

    def _renewed(
        self, ledger: Ledger, reserved: Mapping[int, tuple[int, str]], contexts: Mapping[int, Context]
    ) -> Iterator[Reserved]:
        waiting = iter(contexts.items())
        while some := {reserved[number][0]: context for number, context in islice(waiting, TURN)}:
            yield from ledger.renew_each(some, self.drawer)

    def _record(self, ledger: Ledger, devices: Iterable[Reserved], foreseen: Foreseen | None = None) -> int:
        """Write these devices while they come; they are in the ledger before."""
        ids: dict[int, int] = {}

        def drawn() -> Iterator[tuple[int, Draft]]:
            for one in devices:
                if one.number is not None:
                    ids[one.number] = one.id
                    yield one.number, one.draft

        def record(built: dict[int, str]) -> None:
            ledger.record({ids[number]: digest for number, digest in built.items()}, "built")
            self.folder.remember(ledger.witness())

        name = foreseen.name if foreseen else self.batch.name
        self.folder.add(_named(drawn(), name), foreseen or self.writers, record)
        return len(self.folder.done)

    def _made(self, numbers: Iterable[int], foreseen: Foreseen) -> Iterator[dict[int, Context]]:
        """These devices by their numbers, as contexts that have them and nothing else of their own."""
        for chunk in foreseen.chunks(numbers, CHUNK):
            context = self.batch.context(min(chunk))
            yield {number: foreseen.context(context, made) for number, made in chunk.items()}

    def _chunks(self, numbers: Iterable[int]) -> Iterator[dict[int, Context]]:
        """The contexts of these devices by their numbers, as many at once as are there in time."""
        chunk: dict[int, Context] = {}
        began_s = time.monotonic()
        for number, made in self.drawer.prepared(numbers):
            context = self.batch.context(number)
            chunk[number] = context._replace(prepared=made) if made else context
            if len(chunk) == CHUNK or time.monotonic() - began_s > CHUNK_S:
                yield chunk
                chunk, began_s = {}, time.monotonic()
        if chunk:
            yield chunk


def _named(
    drawn: Iterable[tuple[int, Draft]], name: Callable[[int, Draft], str]
) -> Iterator[tuple[int, str, Draft]]:
    return ((number, name(number, draft), draft) for number, draft in drawn)
