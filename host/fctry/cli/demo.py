"""The main job in one go, on simulated boards: two devices get what no other device has, and prove it.

A factory spec says what each device gets, a ledger hands it out, real esptool flashes application, partition table and
image, the firmware boots, and what it says is compared with what was written. Then a value that was handed out is asked
for again, and refused. It needs a C compiler, and nothing else: in a folder without a project it takes an example. In
this repository, the commands below do the same after `make native`.

fctry batch examples/factory.toml --count 2 -o images
fctry board --app firmware/native/build --port 4000 --flash board.bin
cd firmware/native/build
fctry esptool --port rfc2217://127.0.0.1:4000 write-flash 0x8000 partition_table/partition-table.bin 0x20000 fctry.bin
cd -
fctry flash images/00001.bin --port rfc2217://127.0.0.1:4000
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

from fctry import reference
from fctry.boards import Board
from fctry.boards.board import DEFAULT_FLASH_BYTES
from fctry.cli.arguments import Argument, Arguments, Option, path
from fctry.cli.flash import print_step
from fctry.cli.options import PROJECT, project_of
from fctry.cli.proof_table import print_proof
from fctry.cli.text import escaped
from fctry.device import flasher
from fctry.errors import InputError
from fctry.identity.draft import Context, Draft
from fctry.identity.images import ImageMaker
from fctry.identity.ledger import Device, Ledger, Product, Station, create_ledger
from fctry.identity.spec import Spec
from fctry.identity.spec_file import read_spec
from fctry.nvs.item import Value
from fctry.partitions.flasher_args import read_flasher_args
from fctry.project import Project, open_project
from fctry.provision import Identities, Run, perform, provision_steps
from fctry.reference.native_build import build, recipe_of

DEVICES = 2
SPEC_FILE = Path("factory.toml")
MAC = bytes.fromhex("24:0a:c4:00:00".replace(":", ""))


PARAMETERS = (
    Argument("spec", required=False, type=path, help="default: factory.toml, or an example"),
    *PROJECT,
    Option(
        "--app",
        type=path,
        help="build folder of the application (default: the reference firmware, compiled for this machine)",
    ),
)


def run(args: Arguments) -> int:
    project = _project(args)
    path = args.spec or (SPEC_FILE if SPEC_FILE.is_file() else reference.SPEC)
    spec, partition = read_spec(path), project.factory_partition
    app = args.app or build(recipe_of(project), log=print)
    print(
        f"[1/4] spec: {path.name} -> {len(spec.fields)} values for each {spec.product}, in {partition.name!r}"
    )
    with tempfile.TemporaryDirectory() as folder:
        station = Station("demo", folder=Path(folder, "state"))
        Path(folder, "ledger").mkdir()
        ledger, _ = create_ledger(str(Path(folder, "ledger", "ledger.db")), station)
        with ledger:
            print("[2/4] ledger: new, for this demo; it hands out every value once")
            print(f"[3/4] {DEVICES} devices, each on a simulated ESP32 with an empty flash")
            are_proven = [
                _device(ledger, spec, project, app, n, Path(folder, f"board{n}.bin")) for n in range(DEVICES)
            ]
            print("[4/4] another device with the serial number of the first")
            is_refused = _is_refused(ledger, spec)
    return 0 if all(are_proven) and is_refused else 1


def _project(args: Arguments) -> Project:
    """The one that is there, or else the reference firmware's."""
    project = project_of(args)
    if args.partitions or project.settings.partitions.is_file():
        return project
    return open_project(replace(project.settings, partitions=reference.PARTITIONS))


def _device(ledger: Ledger, spec: Spec, project: Project, app: Path, number: int, flash: Path) -> bool:
    partition = project.factory_partition
    maker = ImageMaker(spec, partition.size_bytes, read_only=partition.readonly)
    identities = Identities(ledger, spec, maker, _now())
    size = read_flasher_args(app).flash_size_bytes or DEFAULT_FLASH_BYTES
    offset, mac = project.table.offset, MAC + bytes([number])
    with (
        Board(flash, [app], mac=mac, flash_size_bytes=size, table_offset=offset) as board,
        flasher.connect(board.url) as chip,
    ):
        run = Run(chip, project.table, partition, identities=identities, on_line=_print_report)
        run.app = read_flasher_args(app)
        record = perform(run, provision_steps(has_app=True), print_step)
    public = ", ".join(f"{name} {text}" for name, text in run.public.items())
    print(f"\n      device {run.device}: {public}")
    if run.proof:
        print_proof(run.proof)
    return record.failed is None


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


def _is_refused(ledger: Ledger, spec: Spec) -> bool:
    try:
        list(ledger.reserve(_product(spec), _Twin(spec, ledger.device(1)), [_now()]))
    except InputError as error:
        print(f"      refused: {error}")
        return True
    print("      NOT refused")
    return False


def _product(spec: Spec) -> Product:
    return Product(spec.product, spec.sha256)


def _now() -> Context:
    return Context(datetime.now(timezone.utc), lot="DEMO")


def _print_report(line: str) -> None:
    if line.startswith("@fctry ") and '"id":' not in line:  # answers to challenges say nothing to people
        print(f"      {escaped(line)}")
