"""A run of steps on one device."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from fctry.device.proof import Proof
from fctry.errors import FctryError
from fctry.nvs.factory_image import FactoryImage
from fctry.partitions.table import Partition, PartitionTable
from fctry.provision.record import CaseRecord, Record, StepRecord

if TYPE_CHECKING:
    from pathlib import Path

    from fctry.device.console import Console
    from fctry.device.flasher import Chip, ChipIdentity
    from fctry.identity.ledger import Ledger
    from fctry.partitions.flasher_args import FlasherArgs
    from fctry.provision.known import Identities
    from fctry.provision.partition import DevicePartition

REPORT_TIMEOUT_S = 15.0
TRIED = "tried"  # in the journal: with the record


@dataclass
class Run:
    """What the steps of one try are given, and what they find out for those that follow.

    `image` is what the device gets, unless `identities` say it; `target` the chip that the project is for, if that is
    known; `app` a build for a device that may be blank, `tests` the folder of the product's own tests. `label` was
    scanned before; else `scan` waits for it after the proof. `is_forced`: data of another device, and another table,
    are overwritten. `is_reworked`: a known device gets its identity whatever it holds, and an exchanged chip that of
    its data. `is_dry`: the ledger is not written.
    `on_line` gets every console line. From the start of the firmware to the last proof `timeout_s` seconds may pass.
    """

    chip: Chip
    table: PartitionTable
    partition: Partition
    image: FactoryImage | None = None
    identities: Identities | None = None
    target: str = ""
    app: FlasherArgs | None = None
    tests: Path | None = None
    label: str = ""
    scan: Callable[[], str] | None = None
    is_forced: bool = False
    is_reworked: bool = False
    is_dry: bool = False
    timeout_s: float = REPORT_TIMEOUT_S
    on_line: Callable[[str], None] | None = None

    identity: ChipIdentity = field(init=False, repr=False)
    on_device: DevicePartition = field(init=False, repr=False)
    device: int | None = None  # in the ledger
    state: str = ""  # that the ledger gives the device with the record, unless the run fails
    public: Mapping[str, str] = field(default_factory=dict)
    image_sha256: str = ""
    proof: Proof | None = None
    console: Console | None = field(default=None, repr=False)  # of the firmware that proved
    cases: tuple[CaseRecord, ...] = ()
    unchecked: list[str] = field(default_factory=list)

    @property
    def chip_said(self) -> Mapping[str, str]:
        """What the chip said of itself, for the record."""
        return {} if not hasattr(self, "identity") else asdict(self.identity)


Step = Callable[[Run], str]
"""Does its part of a run, and says in a few words what it did. Raises FctryError: the device failed."""


def perform(
    run: Run,
    steps: Sequence[Step],
    on_step: Callable[[StepRecord], None] | None = None,
    about: Mapping[str, str] | None = None,
) -> Record:
    """Take the steps in turn, up to one that fails.

    The record, and what became of the device, are in its ledger before this returns. `about` goes into the record.
    """
    started_at = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
    done: list[StepRecord] = []
    for step in steps:
        name, began_s = step.__name__.replace("_", " "), time.monotonic()
        did, error = "", None
        try:
            did = step(run)
        except FctryError as caught:
            error = caught
        seconds = round(time.monotonic() - began_s, 3)
        done.append(StepRecord(name, seconds, did, str(error or ""), error.hint if error else ""))
        if on_step:
            on_step(done[-1])
        if error:
            break
    record = Record(
        started_at,
        tuple(done),
        run.device,
        run.image_sha256,
        run.chip_said,
        run.public,
        about or {},
        tuple(run.unchecked),
        run.cases,
    )
    if run.identities and not run.is_dry:
        _tell_ledger(run.identities.ledger, record, run.state)
    return record


def _tell_ledger(ledger: Ledger, record: Record, state: str) -> None:
    devices = [] if record.device is None else [record.device]
    with ledger.turn():
        if devices and record.failed:
            step, why = record.failed.name, record.failed.error
            ledger.record(dict.fromkeys(devices), "failed", step=step, why=why)
        elif devices and state:
            ledger.record(dict.fromkeys(devices), state)
        ledger.note(devices, TRIED, record=record.as_dict())
