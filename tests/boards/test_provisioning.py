"""From a blank device to a proven one, and what becomes of it when it comes back, with the real firmware."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

import pytest

from fctry import nvs
from fctry.boards import Board
from fctry.boards.fault_plan import SecureDownload
from fctry.device import flasher
from fctry.device.seal import SEAL
from fctry.identity.draft import Context
from fctry.identity.images import ImageMaker
from fctry.identity.ledger import Ledger, Station, create_ledger
from fctry.identity.spec import Spec
from fctry.identity.spec_file import read_spec
from fctry.partitions.csv import read_csv
from fctry.partitions.flasher_args import read_flasher_args
from fctry.provision import Identities, Record, Run, identity, perform, provision_steps
from fctry.provision.known import Found
from fctry.reference.build_folder import complete, describe

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "firmware" / "native" / "build"
TABLE = read_csv(ROOT / "partitions.csv")
FACTORY = TABLE.find("fctry")


@pytest.fixture(scope="module")
def spec() -> Spec:
    return read_spec(ROOT / "examples" / "factory.toml")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    (tmp_path / "ledger").mkdir()
    made, _ = create_ledger(
        str(tmp_path / "ledger" / "ledger.db"), Station("here", folder=tmp_path / "state")
    )
    with made:
        yield made


class Fixture:
    """A station with one slot, into which boards are put that keep their flash."""

    build = BUILD

    def __init__(self, ledger: Ledger, spec: Spec, folder: Path) -> None:
        self._ledger, self._spec, self.folder = ledger, spec, folder

    @contextmanager
    def board(self, name: str = "a", mac: int = 1) -> Iterator[Board]:
        with Board(self.folder / f"{name}.bin", [BUILD], mac=bytes([0x24, 0x0A, 0xC4, 0, 0, mac])) as board:
            yield board

    def provision(
        self,
        board: Board,
        *,
        is_forced: bool = False,
        is_reworked: bool = False,
        has_app: bool = True,
        seal: str | None = None,
    ) -> tuple[Run, Record]:
        maker = ImageMaker(self._spec, FACTORY.size_bytes, read_only=FACTORY.readonly)
        identities = Identities(self._ledger, self._spec, maker, Context(datetime.now(timezone.utc)))
        with flasher.connect(board.url) as chip:
            run = Run(chip, TABLE, FACTORY, identities=identities, is_forced=is_forced)
            run.app, run.is_reworked = read_flasher_args(self.build) if has_app else None, is_reworked
            return run, perform(run, provision_steps(has_app=has_app, seal=seal))


@pytest.fixture
def station(ledger: Ledger, spec: Spec, tmp_path: Path) -> Fixture:
    return Fixture(ledger, spec, tmp_path)


def flash_of(board: Board) -> bytes:
    return board.flash.read(FACTORY.offset, FACTORY.size_bytes)


def test_blank_device_becomes_a_proven_one_and_stays_itself(station: Fixture, ledger: Ledger) -> None:
    with station.board() as board:
        run, record = station.provision(board)
        assert record.failed is None
        first = flash_of(board)
        again, record = station.provision(board)
        assert record.failed is None
        assert again.device == run.device == 1
        assert ledger.chip_of(1) == {"mac": "24:0a:c4:00:00:01", "flash_id": board.flash.unique_id.hex()}
        assert flash_of(board) == first  # its secrets too: nobody could know them anew
        assert {step.name: step.did for step in record.steps}["write"] == "0 of 6 sectors"
    assert ledger.device(1).state == "proven"
    assert [entry.event for entry in ledger.history(1)] == [
        "reserved", "bound", "built", "flashed", "proven", "tried", "bound", "flashed", "proven", "tried",
    ]  # fmt: skip


def test_device_is_sealed_last_and_stays_itself(station: Fixture, ledger: Ledger) -> None:
    with station.board() as board:
        _, record = station.provision(board, seal="key")
        assert record.failed is None
        assert [step.name for step in record.steps][-2:] == ["seal by key", "record proven"]
        sealed = flash_of(board)
        assert SEAL in nvs.decode(sealed)
        assert ledger.device(1).image_sha256 == hashlib.sha256(sealed).hexdigest()
        _, record = station.provision(board, seal="key")
        assert record.failed is None
        assert flash_of(board) == sealed
    assert ledger.device(1).state == "proven"


def test_firmware_that_cannot_burn_its_seal_fails(station: Fixture, ledger: Ledger) -> None:
    with station.board() as board:
        _, record = station.provision(board, seal="efuse")
        assert record.failed
        assert "did not burn its seal: ESP_ERR_NOT_FOUND" in record.failed.error
    assert ledger.device(1).state == "failed"


def test_two_devices_get_two_identities(station: Fixture, ledger: Ledger) -> None:
    public = []
    for number, name in enumerate("ab"):
        with station.board(name, number) as board:
            run, record = station.provision(board)
            assert record.failed is None
            public.append(run.public["serial_number"])
    assert len(set(public)) == 2


def test_erased_device_gets_its_own_public_values_again(station: Fixture, ledger: Ledger) -> None:
    with station.board() as board:
        before, _ = station.provision(board)
        first = flash_of(board)
        board.flash.erase(FACTORY.offset, FACTORY.size_bytes)
        after, record = station.provision(board)
        assert record.failed is None
        assert (after.device, after.public) == (before.device, before.public)
        assert flash_of(board) != first  # fresh secrets


def test_data_of_another_device_are_refused_and_stay(station: Fixture, ledger: Ledger) -> None:
    with station.board("a", 1) as board:
        station.provision(board)
        copied = flash_of(board)
    with station.board("b", 2) as board:
        station.provision(board)
        board.flash.erase(FACTORY.offset, FACTORY.size_bytes)
        board.flash.program(FACTORY.offset, copied)
        _, record = station.provision(board)
        assert record.failed
        assert "the chip is that of device 2, the data in it are those of device 1" in record.failed.error
        assert flash_of(board) == copied
    assert (ledger.device(1).state, ledger.device(2).state) == ("proven", "proven")


def test_data_of_a_device_in_a_chip_that_nobody_knows_are_refused(station: Fixture, ledger: Ledger) -> None:
    with station.board("a", 1) as board:
        station.provision(board)
        copied = board.flash.read(0, 0x20000)
    with station.board("b", 2) as board:
        board.flash.program(0, copied)
        run, record = station.provision(board)
        assert record.failed
        assert "device 1 is another chip, which differs in mac" in record.failed.error
        assert run.device is None
        assert ledger.chip_of(1)["mac"] == "24:0a:c4:00:00:01"
        own, record = station.provision(board, is_forced=True)
        assert (record.failed, own.device) == (None, 2)


def test_exchanged_board_takes_the_identity_of_its_data_along_when_it_is_reworked(
    station: Fixture, ledger: Ledger
) -> None:
    with station.board("a", 1) as board:
        station.provision(board)
        moved = board.flash.read(0, 0x20000)
    with station.board("b", 2) as board:
        board.flash.program(0, moved)
        run, record = station.provision(board, is_reworked=True)
        assert (record.failed, run.device) == (None, 1)
    assert ledger.chip_of(1)["mac"] == "24:0a:c4:00:00:02"


def test_proven_device_with_foreign_data_is_refused_until_it_is_reworked(
    station: Fixture, ledger: Ledger
) -> None:
    with station.board() as board:
        station.provision(board)
        board.flash.erase(FACTORY.offset, FACTORY.size_bytes)
        board.flash.program(FACTORY.offset, b"something")
        _, record = station.provision(board)
        assert record.failed
        assert "--rework if the ledger knows its chip" in record.failed.hint
        ledger.record({1: None}, "proven")  # it has failed now, and would be taken as it is
        run, record = station.provision(board, is_reworked=True)
        assert (record.failed, run.device) == (None, 1)


def test_data_of_nobody_are_refused_unless_forced(station: Fixture, ledger: Ledger) -> None:
    with station.board() as board:
        board.flash.program(FACTORY.offset, b"something")
        _, record = station.provision(board)
        assert record.failed
        assert "data of no device" in record.failed.error
        assert flash_of(board).startswith(b"something")
        _, record = station.provision(board, is_forced=True)
        assert record.failed is None


def test_doubled_mac_is_a_finding(station: Fixture, ledger: Ledger) -> None:
    with station.board("a") as board:
        station.provision(board)
    with station.board("b") as board:  # another flash chip, the same MAC address
        _, record = station.provision(board)
        assert record.failed
        assert "device 1, which differs in flash_id" in record.failed.error
        run, record = station.provision(board, is_forced=True)
        assert record.failed is None
        assert run.device == 2
        again, record = station.provision(board)
        assert record.failed is None
        assert again.device == 2


def test_doubled_mac_is_a_finding_when_both_boards_are_put_in_together(
    station: Fixture, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    find_device, others = identity.find_device, []

    def find_device_slowly(run: Run) -> Found:
        found = find_device(run)
        if not others:
            others.append(1)
            with station.board("b") as other:
                assert station.provision(other)[1].failed is None
        return found

    monkeypatch.setattr(identity, "find_device", find_device_slowly)
    with station.board("a") as board:
        run, record = station.provision(board)
        assert record.failed
        assert "device 1, which differs in flash_id" in record.failed.error
        assert run.device is None
    assert [one.id for one in ledger.devices()] == [1]


def test_device_in_secure_download_mode_is_proven_by_its_firmware_alone(
    station: Fixture, ledger: Ledger
) -> None:
    build, chip = station.folder / "build", "esp32c3"
    build.mkdir()
    shutil.copy(BUILD / "fctry.elf", build)
    program = describe(build / "fctry.elf", version="1", idf_version="native")
    complete(build, program, TABLE, chip, 4 << 20)
    station.build = build
    with Board(station.folder / "secure.bin", [build], chip=chip, faults=[SecureDownload()]) as board:
        run, record = station.provision(board)
        assert record.failed is None, record.failed
        assert len(record.unchecked) == 2
        first = flash_of(board)
        again, record = station.provision(board)
        assert record.failed is None, record.failed
        assert (again.device, again.public) == (run.device, run.public)
        assert flash_of(board) != first  # nobody could read its secrets
        _, record = station.provision(board, has_app=False)
        assert record.failed
        assert "its partition table cannot be read" in record.failed.error


def test_blank_mac_is_no_identity(station: Fixture, ledger: Ledger) -> None:
    devices = []
    for name in "ab":
        with Board(station.folder / f"{name}.bin", [BUILD], mac=bytes(6)) as board:
            run, record = station.provision(board)
            assert record.failed is None
            devices.append(run.device)
            again, _ = station.provision(board)
            assert again.device == run.device
    assert devices == [1, 2]


@pytest.mark.parametrize("operation", [1, 2, 4])
def test_device_whose_power_was_cut_is_proven_the_next_time(
    operation: int, station: Fixture, ledger: Ledger
) -> None:
    with station.board() as board:
        station.provision(board)
        board.flash.erase(FACTORY.offset, FACTORY.size_bytes)
        board.flash.cut_power_at(operation)
        _, record = station.provision(board)
        if record.failed:
            *_, entry, _ = ledger.history(1)
            assert (entry.event, entry.data["step"]) == ("failed", record.failed.name)
        board.flash.cut_power_at(None)
        run, record = station.provision(board)
        assert record.failed is None
        assert run.device == 1
    assert ledger.device(1).state == "proven"
