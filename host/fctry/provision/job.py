"""What is done to every device that a station takes: everything but the port, in a form for another process."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from fctry.device import flasher
from fctry.errors import InputError
from fctry.identity.draft import Context
from fctry.identity.images import ImageMaker
from fctry.identity.ledger import Ledger, Station, open_ledger
from fctry.identity.spec import Spec
from fctry.identity.spec_check import require
from fctry.identity.spec_file import read_spec
from fctry.identity.spec_rules import Room
from fctry.nvs.encryption import Keys
from fctry.partitions.flasher_args import FlasherArgs, read_flasher_args
from fctry.project import Project, Settings, open_project
from fctry.provision.bound import bound_s
from fctry.provision.hooks import check_hooks, run_hook
from fctry.provision.known import Identities
from fctry.provision.record import Record, StepRecord
from fctry.provision.run import REPORT_TIMEOUT_S, Run, Step, perform
from fctry.provision.steps import provision_steps


@dataclass(frozen=True)
class Job:
    """A product, its project and ledger, and how devices are treated. `about` goes into each record.

    A device's label is scanned never, `before` the device is tried, or `after` it is proven.
    """

    spec: Path
    settings: Settings
    ledger: str
    station: Station
    lot: str = ""
    line: str = ""
    app: Path | None = None
    tests: Path | None = None
    hooks: Path | None = None
    scan: str = ""
    keys: Keys | None = field(default=None, repr=False)
    is_forced: bool = False
    is_reworked: bool = False
    timeout_s: float = REPORT_TIMEOUT_S
    flash_baud: int = flasher.FLASH_BAUD
    about: Mapping[str, str] = field(default_factory=dict)

    @contextmanager
    def opened(
        self, open_its_ledger: Callable[[], Ledger] | None = None, *, is_checked: bool = False
    ) -> Iterator[OpenJob]:
        """Ready for devices. Raises InputError for a spec, project, build or tests that are wrong, LedgerError.

        The ledger is opened, or made by what is given, when nothing else is wrong. With `is_checked` another process
        has collected the tests, whose time is not counted again.
        """
        project, spec = open_project(self.settings, variables=os.environ), read_spec(self.spec)
        partition = project.factory_partition
        require(spec, Room(partition.size_bytes, partition.readonly, 1, partition.name, project.sdkconfig))
        app = read_flasher_args(self.app) if self.app else None
        tests_s = check_tests_of(self.tests) if self.tests and not is_checked else 0.0
        if self.hooks:
            check_hooks(self.hooks)
        with open_its_ledger() if open_its_ledger else open_ledger(self.ledger, self.station) as ledger:
            yield OpenJob(self, project, spec, ledger, app, tests_s)


def check_tests_of(folder: Path) -> float:
    """How many seconds the tests take at most. Raises InputError for tests that cannot be run."""
    try:
        from fctry.provision.product_tests import check_tests
    except ImportError as error:
        raise InputError("tests need pytest", hint="pip install 'fctry[pytest]'") from error
    return check_tests(folder)


@dataclass(frozen=True)
class OpenJob:
    """A job whose files are read and whose ledger is open."""

    job: Job
    project: Project
    spec: Spec
    ledger: Ledger
    app: FlasherArgs | None
    tests_s: float

    @property
    def bound_s(self) -> float:
        """Seconds that a device takes at most, without what people and hooks take."""
        return bound_s(
            sum(len(data) for _, data in self.app.writes()) if self.app else 0,
            self.project.factory_partition.size_bytes,
            baud=self.job.flash_baud,
            report_timeout_s=self.job.timeout_s,
            tests_s=self.tests_s,
        )

    def take(
        self,
        port: str,
        on_step: Callable[[StepRecord], None] | None = None,
        on_line: Callable[[str], None] | None = None,
        *,
        slot: str = "",
        label: str = "",
        scan: Callable[[], str] | None = None,
        dry_steps: Sequence[Step] = (),
    ) -> tuple[Run, Record]:
        """One try on the device at this port. Raises PortError or DeviceError when it could not be tried at all.

        `label` is what was scanned before, `scan` gives what is scanned after the proof. `dry_steps` are taken in
        place of those that provision; the ledger is not written then.
        """
        job, partition = self.job, self.project.factory_partition
        maker = ImageMaker(self.spec, partition.size_bytes, read_only=partition.readonly)
        context = Context(datetime.now(timezone.utc), job.lot, job.line)
        identities = Identities(self.ledger, self.spec, maker, context, job.keys)
        chip_name = self.project.settings.chip or "auto"
        with flasher.connect(port, chip=chip_name, flash_baud=job.flash_baud) as chip:
            run = Run(
                chip, self.project.table, partition, identities=identities, app=self.app, tests=job.tests
            )
            run.target = self.project.target
            run.is_forced, run.timeout_s, run.on_line = job.is_forced, job.timeout_s, on_line
            run.label, run.scan = label, scan
            run.is_reworked, run.is_dry = job.is_reworked, bool(dry_steps)
            steps = dry_steps or provision_steps(
                has_app=self.app is not None,
                has_tests=job.tests is not None,
                has_label=bool(job.scan),
                seal=self.project.settings.seal,
            )
            record = perform(run, steps, on_step, self.about(port, slot))
        return run, record

    def hook(self, name: str, said: Mapping[str, Any], *, slot: str, port: str) -> None:
        """Run a hook of the job's. Raises InputError when it fails."""
        if self.job.hooks:
            run_hook(self.job.hooks, name, said, slot=slot, port=port)

    def about(self, port: str, slot: str) -> dict[str, str]:
        """Who tries, where, and for which order."""
        station = self.job.station
        said = {
            "product": self.spec.product,
            "spec_sha256": self.spec.sha256,
            "ledger": self.ledger.id,
            "station": station.name,
            "operator": station.operator,
            "lot": self.job.lot,
            "line": self.job.line,
            "slot": slot,
            "port": port,
            **self.job.about,
        }
        return {name: text for name, text in said.items() if text}
