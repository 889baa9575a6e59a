"""Many devices at once: reserved in the ledger, their images in a folder, and gone on with after any interruption.

A device of the batch is known by its number. What the ledger has reserved and the folder has not got is built again
with the same public values and fresh secrets; what the folder has is never touched again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING

from fctry.errors import InputError
from fctry.identity.ahead import prepared
from fctry.identity.batch_folder import BatchFolder
from fctry.identity.draft import Context, Draft, Preparer, Product

if TYPE_CHECKING:
    from fctry.identity.ledger import Ledger, Reserved

CHUNK = 1000  # devices that are reserved, written and recorded together: what a crash has to do again,
CHUNK_S = 2.0  # or as many as are prepared in this time


@dataclass(frozen=True)
class Batch:
    """What a batch is made of.

    `image` makes a device's plain image, `finish` what is written of it (encrypted or sealed, or as it is), `name` its
    file's name, `context` what is known of the device of a number, counted from 1.
    """

    product: Product
    drawer: Preparer
    count: int
    context: Callable[[int], Context]
    image: Callable[[Draft], bytes]
    name: Callable[[int, Draft], str]
    finish: Callable[[bytes], bytes] = bytes


def make_batch(batch: Batch, ledger: Ledger | None, folder: BatchFolder) -> Iterator[int]:
    """Make the images that are still missing; yields how many are there, chunk by chunk.

    Without a ledger nothing is counted or kept unique: `Devices.check` has seen to that, for these devices alone.
    Raises InputError for a value that was handed out before or does not fit, LedgerError, OSError. What was yielded is
    safe; the same call goes on from there.
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
    if ledger:
        yield from _recorded(batch, ledger, folder, reserved)
        return
    for chunk in _chunks(
        batch, (number for number in range(1, batch.count + 1) if number not in folder.done)
    ):
        _build(batch, folder, ((number, batch.drawer.draw({}, context)) for number, context in chunk.items()))
        yield len(folder.done)


def _recorded(
    batch: Batch, ledger: Ledger, folder: BatchFolder, reserved: Mapping[int, tuple[int, str]]
) -> Iterator[int]:
    late = {number for number in folder.done if number in reserved and reserved[number][1] == "reserved"}
    if late:  # the images were safe, the power failed before the ledger knew
        lines = (line for line in folder.lines() if line.number in late)
        ledger.record({reserved[line.number][0]: line.sha256 for line in lines}, "built")
        folder.remember(ledger.witness())
    for chunk in _chunks(batch, (number for number in sorted(reserved) if number not in folder.done)):
        renewed = [
            ledger.renew(reserved[number][0], batch.drawer, context) for number, context in chunk.items()
        ]
        yield _record(batch, ledger, folder, renewed)
    for chunk in _chunks(batch, (number for number in range(1, batch.count + 1) if number not in reserved)):
        devices = ledger.reserve(
            batch.product, batch.drawer, list(chunk.values()), batch=folder.batch, numbers=list(chunk)
        )
        yield _record(batch, ledger, folder, list(devices))


def _record(batch: Batch, ledger: Ledger, folder: BatchFolder, devices: Sequence[Reserved]) -> int:
    ids = {one.number: one.id for one in devices if one.number is not None}
    drawn = ((one.number, one.draft) for one in devices if one.number is not None)
    built = _build(batch, folder, drawn)
    ledger.record({ids[number]: digest for number, digest in built.items()}, "built")
    folder.remember(ledger.witness())
    return len(folder.done)


def _build(batch: Batch, folder: BatchFolder, drawn: Iterable[tuple[int, Draft]]) -> dict[int, str]:
    """Write the images of these devices, by their numbers. Returns the SHA-256 of each."""
    built: dict[int, str] = {}

    def images() -> Iterator[tuple[int, str, bytes, str, Mapping[str, str]]]:
        for number, draft in drawn:
            plain = batch.image(draft)
            digest = built[number] = sha256(plain).hexdigest()
            yield number, batch.name(number, draft), batch.finish(plain), digest, draft.public

    folder.add(images())
    return built


def _chunks(batch: Batch, numbers: Iterable[int]) -> Iterator[dict[int, Context]]:
    """The contexts of these devices by their numbers, as many at once as are there in time."""
    chunk: dict[int, Context] = {}
    began_s = time.monotonic()
    for number, made in prepared(batch.drawer, numbers):
        chunk[number] = replace(batch.context(number), prepared=made)
        if len(chunk) == CHUNK or time.monotonic() - began_s > CHUNK_S:
            yield chunk
            chunk, began_s = {}, time.monotonic()
    if chunk:
        yield chunk
