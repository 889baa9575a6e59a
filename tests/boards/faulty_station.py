"""A station, and boards with which everything goes wrong that a fault plan can say; long runs of it by hand.

python -m tests.boards.faulty_station plans 0 500     random fault plans, by their seeds
python -m tests.boards.faulty_station cuts zeroing    the power fails at every operation of the flash
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from random import Random

from fctry import nvs
from fctry.boards import Board, Fault, Tear, parse_fault
from fctry.errors import FctryError
from fctry.identity.ledger import Station, create_ledger, open_ledger
from fctry.identity.spec import shown
from fctry.identity.spec_file import read_spec
from fctry.partitions.csv import read_csv
from fctry.project import Settings
from fctry.provision import Record, Run
from fctry.provision.job import Job
from fctry.reference.build_folder import complete, describe

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "firmware" / "native" / "build"
FACTORY = read_csv(ROOT / "partitions.csv").find("fctry")
SPEC = ROOT / "examples" / "factory.toml"
MAC = bytes.fromhex("240ac4000001")
ANOTHER_MAC = bytes.fromhex("240ac4000003")
OTHER_MAC = bytes.fromhex("240ac4000002")
WIRE_BYTES = {"chip": 11_000, "host": 6_000}  # about what one provisioning sends and receives
REPORT_S = 4.0  # of a board with faults, which may say nothing
WHOLE_REPORT_S = 30.0  # of one without
HANGS_S = 90.0
STEPS = 10  # more than a provisioning has

LINE_FAULTS = ("drop", "flip", "double", "delay", "vanish")
REAL_TIME, SECURE = "real-time", "secure-download"
MODE_SHARE, SECURE_CHIP = 0.15, "esp32c3"
REFUSED = ("wrong-chip", "smaller-flash")  # it is another board, and stays so


def random_plan(seed: int) -> list[str]:
    """One to three faults."""
    random = Random(seed)

    def byte() -> str:
        to = random.choice(("chip", "host"))
        return f"byte={random.randrange(1, WIRE_BYTES[to])} to={to}"

    def sector() -> int:
        return FACTORY.offset + random.choice((0, 0, 0x1000))

    makers = [
        lambda: (
            f"power-cut erase={random.randrange(1, 12)} tear={random.choice(list(Tear)).value} seed={seed}"
        ),
        lambda: (
            f"power-cut program={random.randrange(1, 60)} tear={random.choice(list(Tear)).value} seed={seed}"
        ),
        lambda: f"power-cut byte={random.randrange(1, WIRE_BYTES['chip'])}",
        lambda: f"{random.choice(('drop', 'double'))} {byte()} count={random.choice((1, 2, 40))}",
        lambda: f"flip {byte()} mask={random.randrange(1, 256)}",
        lambda: f"delay {byte()} seconds={random.choice((0.1, 1, 4))}",
        lambda: f"vanish {byte()} seconds={random.choice((0.05, 1))}",
        lambda: f"worn sector={sector():#x} times={random.randrange(3)}",
        lambda: f"leaky sector={sector():#x} times={random.randrange(4)} seed={seed}",
        lambda: f"silent start={random.randrange(1, 4)} times=1",
        lambda: f"boot-loop start={random.randrange(1, 4)} times={random.randrange(1, 6)}",
        lambda: f"stuck-boot level={random.choice(('low', 'high'))}",
        lambda: random.choice(("wrong-chip chip=esp32c6", "smaller-flash size=1MB")),
        lambda: f"mac address={random.choice((bytes(6), OTHER_MAC)).hex(':')}",
    ]
    plan = [make() for make in random.sample(makers, random.choice((1, 1, 2, 3)))]
    return plan + [mode for mode in (REAL_TIME, SECURE) if random.random() < MODE_SHARE]


def secure_build(folder: Path) -> Path:
    """The native application for a chip that has Secure Download mode."""
    build = folder / "build"
    build.mkdir()
    shutil.copy(BUILD / "fctry.elf", build)
    program = describe(build / "fctry.elf", version="1", idf_version="native")
    complete(build, program, read_csv(ROOT / "partitions.csv"), SECURE_CHIP, 4 << 20)
    return build


@dataclass
class FaultyStation:
    """A station with a ledger, in a folder; its boards keep their flash, and Secure Download mode if they have it."""

    folder: Path
    is_secure: bool = False

    def __post_init__(self) -> None:
        (self.folder / "ledger").mkdir(exist_ok=True)
        place = str(self.folder / "ledger" / "ledger.db")
        station = Station("here", folder=self.folder / "state")
        self.chip = SECURE_CHIP if self.is_secure else "esp32"
        self.build = secure_build(self.folder) if self.is_secure else BUILD
        settings = Settings(ROOT / "partitions.csv", chip=self.chip)
        self.job = Job(SPEC, settings, place, station, app=self.build, timeout_s=REPORT_S)
        create_ledger(place, station)[0].close()

    @contextmanager
    def board(self, faults: Sequence[str] = (), name: str = "a", mac: bytes = MAC) -> Iterator[Board]:
        modes = [SECURE] if self.is_secure and SECURE not in faults else []
        plan: list[Fault] = [parse_fault(text) for text in [*faults, *modes]]
        flash = self.folder / f"{name}.bin"
        if any(text.split()[0] in REFUSED for text in faults):
            flash, mac = self.folder / "another.bin", ANOTHER_MAC
            flash.unlink(missing_ok=True)
        with Board(flash, [self.build], chip=self.chip, mac=mac, faults=plan) as board:
            yield board

    def attempt(self, board: Board, report_s: float = REPORT_S) -> tuple[Run, Record] | None:
        """One try. Whoever is called proven is so; None, if it could not be tried."""
        began_s = time.monotonic()
        try:
            with replace(self.job, timeout_s=report_s).opened() as job:
                run, record = job.take(board.url)
        except FctryError:
            run = record = None
        took_s = time.monotonic() - began_s
        assert took_s < HANGS_S, f"it took {took_s:.0f} s"
        if run is None or record is None:
            return None
        if not record.failed:
            self._check_proven(board, run)
        return run, record

    def _check_proven(self, board: Board, run: Run) -> None:
        """Flash and ledger, without the code that wrote them."""
        data = board.flash.read(FACTORY.offset, FACTORY.size_bytes)
        with open_ledger(self.job.ledger, self.job.station) as ledger:
            assert run.device is not None
            device = ledger.device(run.device)
        assert device.state == "proven"
        assert device.image_sha256 == hashlib.sha256(data).hexdigest()
        held = {shown(item.value) for item in nvs.decode(data)}
        assert set(device.public.values()) <= held
        assert run.proof is not None
        assert run.proof.is_proven

    def check_ledger(self) -> None:
        """No two devices have a value in common, each has left a trace, and the journal's chain is whole."""
        spec = read_spec(SPEC)
        unique = [one.name for one in spec.fields if one.scope and not one.is_secret]
        with open_ledger(self.job.ledger, self.job.station) as ledger:
            ledger.verify()
            devices = list(ledger.devices())
            for name in unique:
                values = [one.public[name] for one in devices if name in one.public]
                assert len(values) == len(set(values)), f"{name} was given twice"
            numbers = [one.id for one in devices]
            assert numbers == list(range(1, len(numbers) + 1)), "one is lost"
            for one in devices:
                assert ledger.history(one.id), f"device {one.id} has no trace"

    def recovers(self, name: str = "a", mac: bytes = MAC) -> Run:
        """The next try, on a board without faults, ends proven."""
        with self.board(name=name, mac=mac) as board:
            tried = self.attempt(board, WHOLE_REPORT_S)
        assert tried is not None, "it could not be tried"
        run, record = tried
        assert not record.failed, f"{record.failed}"
        return run


def try_plan(seed: int, folder: Path) -> str:
    """A device meets a random plan, twice in a row at times, and is then proven. Returns what came of the plan."""
    plan = random_plan(seed)
    station = FaultyStation(folder, is_secure=SECURE in plan)
    random = Random(seed)
    if any(text.startswith("mac ") for text in plan) or random.random() < 0.2:
        station.recovers("b", OTHER_MAC)
    if random.random() < 0.2:  # a device that comes back
        station.recovers()
    outcomes = []
    for _ in range(random.choice((1, 1, 2))):
        with station.board(plan) as board:
            tried = station.attempt(board)
        outcomes.append(
            "not tried" if tried is None else tried[1].failed.name if tried[1].failed else "proven"
        )
    station.recovers()
    station.check_ledger()
    return f"{', '.join(outcomes)}"


def try_cut(operation: int, tear: Tear, folder: Path) -> bool:
    """The power fails at the n-th operation of the flash in one provisioning; False if it has fewer."""
    station = FaultyStation(folder)
    with station.board([f"power-cut operation={operation} tear={tear.value} seed={operation}"]) as board:
        tried = station.attempt(board)
        was_cut = not board.flash._faults._left
        first = tried[0].device if tried else None
    run = station.recovers()
    assert first in (None, run.device)
    station.check_ledger()
    return was_cut


def _die_after(job: Job, url: str, steps: int, seconds: float) -> None:
    """In a process of its own: kill -9 after so many steps, or some time later."""
    done = 0

    def on_step(_: object) -> None:
        nonlocal done
        done += 1
        if done == steps:
            if seconds:
                signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
                signal.setitimer(signal.ITIMER_REAL, seconds)
            else:
                os.kill(os.getpid(), signal.SIGKILL)

    with job.opened() as opened:
        opened.take(url, on_step)


def try_kill(steps: int, folder: Path, seconds: float = 0.0) -> bool:
    """The station is killed after the n-th step; False if there are fewer."""
    station = FaultyStation(folder)
    with station.board() as board:
        process = get_context("spawn").Process(
            target=_die_after, args=(station.job, board.url, steps, seconds)
        )
        process.start()
        process.join(HANGS_S)
        was_killed = process.exitcode in (-signal.SIGKILL, -signal.SIGALRM)  # while Python ended
        assert was_killed or process.exitcode == 0
    station.recovers()
    station.check_ledger()
    return was_killed


def main(arguments: Sequence[str]) -> int:
    what, failures = arguments[0], 0
    if what == "plans":
        numbers = range(int(arguments[1]), int(arguments[2]))
    else:
        numbers = range(1, 1000)
    for number in numbers:
        with tempfile.TemporaryDirectory() as folder:
            began_s = time.monotonic()
            said: object = ""
            try:
                with contextlib.redirect_stdout(None):
                    if what == "plans":
                        said = try_plan(number, Path(folder))
                    elif what == "cuts":
                        said = try_cut(number, Tear(arguments[1]), Path(folder))
                    else:
                        said = try_kill(number, Path(folder), float(arguments[1]))
            except Exception as error:
                failures += 1
                said = f"FAILED: {type(error).__name__}: {error}"
            plan = random_plan(number) if what == "plans" else ""
            print(f"{number} {time.monotonic() - began_s:.1f} s {plan} {said}", flush=True)
            if said is False:
                break
    print(f"{failures} failures")
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
