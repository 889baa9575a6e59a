"""The main job in one go, on simulated boards: four devices at once get what no other device has, and prove it.

A factory spec says what each device gets, a ledger hands it out, real esptool flashes application, partition table and
image, the firmware boots, and what it says is compared with what was written. The power of one board fails meanwhile,
and it is tried again. Then a value that was handed out is asked for again, and refused. It needs a C compiler, and
nothing else: in a folder without a project it takes an example. `fctry docs boards` says how to do the same by hand.

fctry demo
fctry demo factory.toml --records records
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

from fctry import reference
from fctry.boards import Board, parse_fault
from fctry.boards.board import DEFAULT_FLASH_BYTES
from fctry.cli.arguments import Argument, Arguments, Option, path
from fctry.cli.live import Summary, show
from fctry.cli.options import PROJECT, project_of
from fctry.cli.proof_table import print_proof
from fctry.cli.record.show import print_record
from fctry.errors import InputError
from fctry.identity.draft import Context, Draft
from fctry.identity.ledger import Device, Ledger, Product, Station, create_ledger, open_ledger
from fctry.identity.spec import Spec
from fctry.identity.spec_file import read_spec
from fctry.nvs.item import Value
from fctry.partitions.flasher_args import read_flasher_args
from fctry.project import Project, open_project
from fctry.provision.job import Job
from fctry.provision.line import Line
from fctry.provision.record_files import RecordFolder
from fctry.provision.records import records_of
from fctry.provision.slots import Slot
from fctry.reference.native_build import build, recipe_of

SLOTS = ("A", "B", "C", "D")
FAULT = parse_fault("power-cut erase=3")  # table, application, factory partition
SPEC_FILE = Path("factory.toml")
MAC = bytes.fromhex("24:0a:c4:00:00".replace(":", ""))


PARAMETERS = (
    Argument("spec", required=False, type=path, help="factory spec (default: factory.toml, or an example)"),
    *PROJECT,
    Option(
        "--app",
        type=path,
        metavar="FOLDER",
        help="build folder of the application (default: the reference firmware, compiled for this machine)",
    ),
    Option("--records", type=path, metavar="FOLDER", help="keep the records in this folder"),
)


def run(args: Arguments) -> int:
    project = _project(args)
    file = args.spec or (SPEC_FILE if SPEC_FILE.is_file() else reference.SPEC)
    spec, partition = read_spec(file), project.factory_partition
    kept = RecordFolder(args.records) if args.records else None
    app = args.app or build(recipe_of(project), log=print)
    print(
        f"[1/5] spec: {file.name} -> {len(spec.fields)} values for each {spec.product}, in {partition.name!r}"
    )
    with tempfile.TemporaryDirectory() as folder:
        station = Station("demo", folder=Path(folder, "state"))
        Path(folder, "ledger").mkdir()
        place = str(Path(folder, "ledger", "ledger.db"))
        create_ledger(place, station)[0].close()
        job = Job(file, project.settings, place, station, lot="DEMO", app=app)
        print("[2/5] ledger: new, for this demo; it hands out every value once")
        print(
            f"[3/5] {len(SLOTS)} simulated ESP32 with empty flashes at once; the power of {SLOTS[-1]} fails once"
        )
        with _boards(project, app, Path(folder)) as slots:
            first = _shown(job, slots)
            print("[4/5] the one that failed again; and the first comes back, and keeps its identity")
            again = _shown(job, slots[-1:])
            with job.opened() as opened:
                came_back, record = opened.take(slots[0].place, slot=slots[0].name)
                records = records_of(opened.ledger)
        for one in records:
            if one.about["slot"] == SLOTS[-1]:
                print_record(one)
        if came_back.proof:
            print_proof(came_back.proof)
        if kept:
            kept.write_all(records)
            print(f"records: {kept.folder}")
        print("[5/5] another device with the serial number of device 1")
        with open_ledger(place, station) as ledger:
            is_refused = _is_refused(ledger, spec)
    is_well = len(first.failed) == 1 and not (first.untried or again.untried or again.failed or record.failed)
    return 0 if is_well and is_refused else 1


def _shown(job: Job, slots: Sequence[Slot]) -> Summary:
    summary = show(Line(job, slots), slots, None)
    if summary.is_interrupted:  # after what ran has come to its end
        raise KeyboardInterrupt
    return summary


def _project(args: Arguments) -> Project:
    """The one that is there, or else the reference firmware's."""
    project = project_of(args)
    if args.partitions or project.settings.partitions.is_file():
        return project
    return open_project(replace(project.settings, partitions=reference.PARTITIONS))


@contextmanager
def _boards(project: Project, app: Path, folder: Path) -> Iterator[Sequence[Slot]]:
    size = read_flasher_args(app).flash_size_bytes or DEFAULT_FLASH_BYTES
    with ExitStack() as stack:
        slots = []
        for number, name in enumerate(SLOTS):
            board = Board(
                folder / f"{name}.bin",
                [app],
                mac=MAC + bytes([number]),
                flash_size_bytes=size,
                table_offset=project.table.offset,
                faults=[FAULT] if name == SLOTS[-1] else [],
            )
            slots.append(Slot(name, stack.enter_context(board).url))
        yield slots


class _Twin:
    """Draws devices with the serial number of one that is there."""

    def __init__(self, spec: Spec, device: Device) -> None:
        self._spec = spec
        self._device = device
        self.counters = spec.counters

    def draw(
        self, counters: Mapping[str, int], context: Context, kept: Mapping[str, Value] | None = None
    ) -> Draft:
        return self._spec.draw(self._device.counters, context, self._device.values)

    def draw_each(self, counters: Sequence[Mapping[str, int]], contexts: Sequence[Context]) -> list[Draft]:
        return list(map(self.draw, counters, contexts))


def _is_refused(ledger: Ledger, spec: Spec) -> bool:
    now = Context(datetime.now(timezone.utc), lot="DEMO")
    try:
        list(ledger.reserve(Product(spec.product, spec.sha256), _Twin(spec, ledger.device(1)), [now]))
    except InputError as error:
        print(f"      refused: {error}")
        return True
    print("      NOT refused")
    return False
