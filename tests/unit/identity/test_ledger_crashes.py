"""A value that was handed out is never handed out again: whatever crashes, fills up, goes back or comes between."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Protocol

import pytest
import sqlalchemy as sa

from fctry.errors import LedgerError
from fctry.identity.ledger import Ledger, Station, create_ledger, journal, open_ledger
from tests.python_server import ROOT, serve
from tests.unit.identity.conftest import LAMP, NOW, Lamps

STATIONS = "import sys; from tests.unit.identity.stations import do; do(*sys.argv[1:])"


class Stations(Protocol):
    def __call__(self, *arguments: object) -> str:
        """What stations.py says."""


@pytest.fixture(scope="module")
def stations() -> Iterator[Stations]:
    with serve() as run_python:

        def run(*arguments: object) -> str:
            done = run_python(
                STATIONS, *map(str, arguments), cwd=ROOT, modules=["tests.unit.identity.stations"]
            )
            assert done.returncode == 0, done.stderr[-3000:]
            return done.stdout

        yield run


def handed_out(out: Path) -> list[list[str]]:
    """Id, serial number, code and password of each device that a station got hold of."""
    return [line.split() for path in out.iterdir() for line in path.read_text().splitlines()]


def assert_unique(devices: Sequence[Sequence[str]]) -> None:
    for values in zip(*devices, strict=True):
        assert len(set(values)) == len(values)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def test_station_killed_at_any_point_costs_nothing(
    ledger: Ledger, ledger_url: str, station: Station, out: Path, stations: Stations
) -> None:
    points = int(stations("kill", ledger_url, station.folder, out))
    assert points > 40  # statements, commits and files of opening, reserving, renewing and recording
    devices = handed_out(out)
    assert_unique(devices)
    known = {one.id: one for one in ledger.devices()}
    for id_, serial, code, _ in devices:
        assert known[int(id_)].public == {"serial": serial, "code": code}
    assert sorted(known) == list(range(1, len(known) + 1))
    assert {one.public["serial"] for one in known.values()} == {f"SN{999 + id_}" for id_ in known}
    ledger.verify()


def test_many_stations_get_different_values_without_gaps(
    ledger: Ledger, ledger_url: str, station: Station, out: Path, stations: Stations
) -> None:
    stations("contend", ledger_url, station.folder, out, 50, 10, 0)
    devices = handed_out(out)
    assert len(devices) == 510  # of one station first, then of fifty at once
    assert_unique(devices)
    assert {serial for _, serial, _, _ in devices} == {f"SN{1000 + n}" for n in range(510)}
    ledger.verify()


def test_two_stations_with_folders_of_their_own_take_turns(
    ledger: Ledger, ledger_url: str, station: Station
) -> None:
    other = replace(station, name="bench 2", folder=station.folder.with_name("other"))
    other.folder.mkdir()
    (key,) = station.folder.glob("*.index-key")
    (other.folder / key.name).write_bytes(key.read_bytes())
    with open_ledger(ledger_url, other) as second:
        serials = [
            next(one.reserve(LAMP, Lamps(), [NOW])).draft.public["serial"] for one in (ledger, second) * 3
        ]
    assert serials == [f"SN{1000 + n}" for n in range(6)]
    assert [entry.data["station"] for entry in ledger.history(6)] == ["bench 2"]


def test_full_disk_refuses_and_loses_nothing(tmp_path: Path, station: Station) -> None:
    url = str(tmp_path / "ledger.db")
    create_ledger(url, station)[0].close()
    pages = 60

    def limit(connection: object, _: object) -> None:
        connection.execute(f"PRAGMA max_page_count={pages}")  # type: ignore[attr-defined]

    sa.event.listen(sa.Engine, "connect", limit)
    try:
        got: list[str] = []
        with open_ledger(url, station) as ledger, pytest.raises(LedgerError, match="full"):
            got.extend(one.draft.public["serial"] for one in ledger.reserve(LAMP, Lamps(), [NOW] * 5000))
        pages = 10**6
        with open_ledger(url, station) as ledger:
            assert [one.public["serial"] for one in ledger.devices()] == got
            got += [one.draft.public["serial"] for one in ledger.reserve(LAMP, Lamps(), [NOW] * 3)]
            ledger.verify()
    finally:
        sa.event.remove(sa.Engine, "connect", limit)
    assert got == [f"SN{1000 + n}" for n in range(len(got))]
    assert len(got) > 3


def test_nothing_is_handed_out_that_the_station_cannot_witness(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(LedgerError, match="No space left"):
            next(ledger.reserve(LAMP, Lamps(), [NOW]))
    assert next(ledger.reserve(LAMP, Lamps(), [NOW])).draft.public["serial"] == "SN1001"


def test_clock_that_is_set_back_brings_nothing_back(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    first = next(ledger.reserve(LAMP, Lamps(), [NOW]))
    past = datetime(1970, 1, 1, tzinfo=timezone.utc)

    class Clock(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return past

    monkeypatch.setattr(journal, "datetime", Clock)
    second = next(ledger.reserve(LAMP, Lamps(), [NOW._replace(now=past)]))
    assert (first.draft.public["serial"], second.draft.public["serial"]) == ("SN1000", "SN1001")
    assert ledger.history(second.id)[0].at.startswith("1970")
    assert ledger.verify() == 3
