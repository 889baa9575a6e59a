"""A run of steps on one device, and the record of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fctry.device.proof import Proof
from fctry.errors import FctryError
from fctry.nvs.factory_image import FactoryImage
from fctry.partitions.table import Partition, PartitionTable

if TYPE_CHECKING:
    from fctry.device.flasher import Chip, ChipIdentity
    from fctry.partitions.flasher_args import FlasherArgs
    from fctry.provision.identity import Identities
    from fctry.provision.partition import DevicePartition

REPORT_TIMEOUT_S = 15.0


@dataclass
class Run:
    """What the steps of one try are given, and what they find out for those that follow.

    `image` is what the device gets, unless `identities` say it; `app` a build for a device that may be blank.
    `is_forced`: data of another device, and another table, are overwritten. `on_line` gets every console line. From the
    start of the firmware to the last proof `timeout_s` seconds may pass.
    """

    chip: Chip
    table: PartitionTable
    partition: Partition
    image: FactoryImage | None = None
    identities: Identities | None = None
    app: FlasherArgs | None = None
    is_forced: bool = False
    timeout_s: float = REPORT_TIMEOUT_S
    on_line: Callable[[str], None] | None = None

    identity: ChipIdentity = field(init=False, repr=False)
    on_device: DevicePartition = field(init=False, repr=False)
    device: int | None = None  # in the ledger
    public: Mapping[str, str] = field(default_factory=dict)
    proof: Proof | None = None


Step = Callable[[Run], str]
"""Does its part of a run, and says in a few words what it did. Raises FctryError: the device failed."""


@dataclass(frozen=True)
class StepRecord:
    """One step: what it did, or why it failed, and how long it took."""

    name: str
    seconds: float
    did: str = ""
    error: FctryError | None = None


@dataclass(frozen=True)
class Record:
    """One try on one device."""

    steps: tuple[StepRecord, ...]

    @property
    def error(self) -> FctryError | None:
        """Why it failed, None when the device is proven."""
        return self.steps[-1].error


def perform(run: Run, steps: Sequence[Step], on_step: Callable[[StepRecord], None] | None = None) -> Record:
    """Take the steps in turn, up to one that fails. What became of the device is in its ledger afterwards."""
    done: list[StepRecord] = []
    for step in steps:
        name, began_s = step.__name__.replace("_", " "), time.monotonic()
        try:
            did, error = step(run), None
        except FctryError as caught:
            did, error = "", caught
        done.append(StepRecord(name, time.monotonic() - began_s, did, error))
        if on_step:
            on_step(done[-1])
        if error:
            _tell_ledger(run, done[-1])
            break
    return Record(tuple(done))


def _tell_ledger(run: Run, failed: StepRecord) -> None:
    if run.identities and run.device is not None:
        run.identities.ledger.record({run.device: None}, "failed", step=failed.name, why=str(failed.error))
