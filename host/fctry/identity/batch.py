"""Many devices at once: reserved in the ledger, their images in a folder, and gone on with after any interruption.

A device of the batch is known by its number. What the ledger has reserved and the folder has not got is built again
with the same public values and fresh secrets; what the folder has is never touched again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from fctry.errors import InputError
from fctry.identity.batch_folder import BatchFolder
from fctry.identity.draft import Context, Draft, Drawer
from fctry.identity.ledger import Ledger, Product, Reserved

CHUNK = 200  # devices that are reserved, written and recorded together: what a crash has to do again


@dataclass(frozen=True)
class Batch:
    """What a batch is made of.

    `image` makes a device's plain image, `finish` what is written of it (encrypted or sealed, or as it is), `name` its
    file's name, `context` what is known of the device of a number, counted from 1.
    """

    product: Product
    drawer: Drawer
    count: int
    context: Callable[[int], Context]
    image: Callable[[Draft], bytes]
    name: Callable[[int, Draft], str]
    finish: Callable[[bytes], bytes] = bytes


def make_batch(batch: Batch, ledger: Ledger, folder: BatchFolder) -> Iterator[int]:
    """Make the images that are still missing; yields how many are there, chunk by chunk.

    Raises InputError for a value that was handed out before or does not fit, LedgerError, OSError. What was yielded is
    safe; the same call goes on from there.
    """
    reserved = ledger.numbers(folder.batch)
    beyond = max([*folder.done, *reserved], default=0)
    if beyond > batch.count:
        raise InputError(
            f"the batch has {beyond} devices already, more than {batch.count}",
            hint=f"go on with --count {beyond} or more",
            file=folder.folder,
        )
    late: dict[int, str | None] = {
        id_: folder.done[number]
        for number, (id_, state) in reserved.items()
        if number in folder.done and state == "reserved"
    }
    if late:  # the images were safe, the power failed before the ledger knew
        ledger.record(late, "built")
    yield len(folder.done)
    for numbers in _chunks(number for number in sorted(reserved) if number not in folder.done):
        yield _build(
            batch,
            ledger,
            folder,
            [ledger.renew(reserved[number][0], batch.drawer, batch.context(number)) for number in numbers],
        )
    for numbers in _chunks(number for number in range(1, batch.count + 1) if number not in reserved):
        contexts = [batch.context(number) for number in numbers]
        devices = ledger.reserve(batch.product, batch.drawer, contexts, batch=folder.batch, numbers=numbers)
        yield _build(batch, ledger, folder, list(devices))


def _build(batch: Batch, ledger: Ledger, folder: BatchFolder, devices: Sequence[Reserved]) -> int:
    built: dict[int, str | None] = {}

    def images() -> Iterator[tuple[int, str, bytes, str, dict[str, str]]]:
        for one in devices:
            assert one.number is not None
            plain = batch.image(one.draft)
            digest = hashlib.sha256(plain).hexdigest()
            built[one.id] = digest
            name = batch.name(one.number, one.draft)
            yield one.number, name, batch.finish(plain), digest, dict(one.draft.public)

    folder.add(images())
    ledger.record(built, "built")
    return len(folder.done)


def _chunks(numbers: Iterable[int]) -> Iterator[list[int]]:
    numbers = iter(numbers)
    while chunk := list(islice(numbers, CHUNK)):
        yield chunk
