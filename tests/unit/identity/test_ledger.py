"""The ledger: unique because the database says so, and nothing of it can be changed afterwards."""

from __future__ import annotations

import json
import logging
import secrets
import shutil
import sys
import tempfile
import zipfile
from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pyrage
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fctry.errors import InputError, LedgerError
from fctry.identity.draft import Claim, Context, CounterRange, Draft
from fctry.identity.ledger import (
    Ledger,
    Station,
    accept_restore,
    create_ledger,
    migrations,
    open_ledger,
    reservation,
    upgrade_ledger,
)
from fctry.identity.ledger.database import REVISION, open_engine
from fctry.identity.ledger.keys import IndexKey
from fctry.identity.ledger.tables import APPEND_ONLY, claim, metadata
from fctry.nvs.item import Value
from tests.unit.identity.conftest import LAMP, NOW, Lamps

LEDGERS = Path(__file__).parents[2] / "data" / "ledger"


@contextmanager
def connected(url: str) -> Iterator[sa.Connection]:
    engine = open_engine(url)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def test_devices_get_numbers_without_gaps(ledger: Ledger) -> None:
    first = list(ledger.reserve(LAMP, Lamps(), [NOW] * 3))
    second = list(ledger.reserve(LAMP, Lamps(), [NOW] * 2))
    serials = [one.draft.values["device:serial"] for one in first + second]
    assert serials == ["SN1000", "SN1001", "SN1002", "SN1003", "SN1004"]
    assert [one.id for one in first + second] == [1, 2, 3, 4, 5]


def test_random_value_that_is_taken_is_drawn_anew(ledger: Ledger) -> None:
    devices = list(ledger.reserve(LAMP, Lamps(codes=12), [NOW] * 9))
    assert len({one.draft.values["device:code"] for one in devices}) == 9
    assert [one.draft.values["device:serial"] for one in devices] == [f"SN{1000 + n}" for n in range(9)]


@dataclass
class Pinned(Lamps):
    """Lamps with a public pin and a secret one, both random, beside the code that runs out."""

    def draw(
        self, counters: Mapping[str, int], context: Context, kept: Mapping[str, Value] | None = None
    ) -> Draft:
        lamp = super().draw(counters, context, kept)
        pin = f"pin-{secrets.randbelow(10**12)}"
        pins = Claim("lamp/pin", pin.encode(), is_random=True), *lamp.claims
        return lamp._replace(values={**lamp.values, "device:pin": pin}, claims=pins)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(1, 10), st.integers(0, 9)), min_size=1, max_size=4))
def test_device_is_found_by_the_values_that_it_has_or_had_and_by_no_other(
    ledger: Ledger, ledger_url: str, turns: list[tuple[int, int]]
) -> None:
    """Although many devices are drawn several times, until their code is free."""
    total = len(list(ledger.devices())) + sum(count for count, _ in turns)
    with connected(ledger_url) as connection:
        before = set(map(tuple, connection.execute(sa.select(claim))))
    held: dict[tuple[str, bytes], int] = {}
    lamps = Pinned(codes=2 * total)
    for count, again in turns:
        devices = list(ledger.reserve(LAMP, lamps, [NOW] * count))
        for one in (*devices, ledger.renew(devices[again % count].id, lamps, NOW)):
            held.update({(each.scope, each.value): one.id for each in one.draft.claims})
    for (_, value), device in held.items():
        assert device in ledger.owners([value])
    with connected(ledger_url) as connection:
        claimed = {tuple(row) for row in connection.execute(sa.select(claim))} - before
    assert len(claimed) == len(held)
    public = {(scope, bytes(value)): id_ for value, scope, id_ in claimed if scope != "lamp/password"}
    assert public == {key: id_ for key, id_ in held.items() if key[0] != "lamp/password"}


def test_few_values_are_handed_out_to_the_last_one(ledger: Ledger) -> None:
    devices = list(ledger.reserve(LAMP, Lamps(codes=128), [NOW] * 128))
    assert len({one.draft.values["device:code"] for one in devices}) == 128


def test_values_that_run_out_are_refused_and_nothing_is_reserved(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reservation, "DRAWS_S", 0.1)
    list(ledger.reserve(LAMP, Lamps(codes=3), [NOW] * 3))
    with pytest.raises(InputError, match="no free value of lamp/code"):
        list(ledger.reserve(LAMP, Lamps(codes=3), [NOW]))
    assert len(list(ledger.devices())) == 3
    assert next(ledger.reserve(LAMP, Lamps(), [NOW])).draft.values["device:serial"] == "SN1003"


def test_value_that_was_handed_out_is_refused_by_name(ledger: Ledger) -> None:
    list(ledger.reserve(LAMP, Lamps(), [NOW]))
    other = Lamps(counters={"serial": CounterRange(1000, 2000), "another": CounterRange(1, 9)})

    class Twins(Lamps):
        def draw(
            self, counters: Mapping[str, int], context: Context, kept: Mapping[str, Value] | None = None
        ) -> Draft:
            return super().draw({"serial": 1000}, context, kept)

    with pytest.raises(InputError, match=r"'lamp/serial' was handed out already: device 1 has it"):
        list(ledger.reserve(LAMP, Twins(counters=other.counters), [NOW]))


@dataclass
class Paired(Lamps):
    """Lamps with two codes that must differ, out of few."""

    def draw(
        self, counters: Mapping[str, int], context: Context, kept: Mapping[str, Value] | None = None
    ) -> Draft:
        lamp = super().draw(counters, context, kept)
        other = str(secrets.randbelow(self.codes))
        return lamp._replace(
            values={**lamp.values, "device:other": other},
            claims=(*lamp.claims, Claim("lamp/code", other.encode(), is_random=True)),
        )


def test_two_fields_that_must_differ_do_so_in_one_device_too(ledger: Ledger) -> None:
    devices = list(ledger.reserve(LAMP, Paired(codes=40), [NOW] * 16))
    codes = [one.draft.values[name] for one in devices for name in ("device:code", "device:other")]
    assert len(set(codes)) == 32


def addresses(start: str, count: int) -> Lamps:
    numbers = CounterRange(int(start, 16), int(start, 16) + count - 4, 4)
    return Lamps(counters={"serial": CounterRange(1000, 10**9), f"mac/{start}": numbers})


def test_address_that_another_device_derives_is_refused(ledger: Ledger) -> None:
    list(ledger.reserve(LAMP, addresses("240AC4000000", 64), [NOW] * 2))
    with pytest.raises(
        InputError, match="24:0A:C4:00:00:06 was handed out already, of the block that begins"
    ):
        list(ledger.reserve(LAMP, addresses("240AC4000006", 64), [NOW]))
    list(ledger.reserve(LAMP, addresses("240AC4000010", 64), [NOW]))
    assert len(list(ledger.reserve(LAMP, addresses("240AC4000000", 64), [NOW] * 2))) == 2
    with pytest.raises(InputError, match="24:0A:C4:00:00:10 was handed out already"):
        list(ledger.reserve(LAMP, addresses("240AC4000000", 64), [NOW]))


def test_counter_at_its_end_is_refused(ledger: Ledger) -> None:
    lamps = Lamps(counters={"serial": CounterRange(1000, 1003)})
    with pytest.raises(InputError, match="has 4 numbers left, not 5"):
        list(ledger.reserve(LAMP, lamps, [NOW] * 5))
    assert len(list(ledger.reserve(LAMP, lamps, [NOW] * 4))) == 4
    with pytest.raises(InputError, match="has 0 numbers left, not 1"):
        list(ledger.reserve(LAMP, lamps, [NOW]))


def test_history_says_what_happened_to_a_device(ledger: Ledger) -> None:
    (device,) = ledger.reserve(LAMP, Lamps(), [NOW])
    ledger.record({device.id: "ab" * 32}, "built")
    ledger.record({device.id: None}, "failed", why="no answer", step="verify")
    ledger.record({device.id: None}, "scrapped")
    history = ledger.history(device.id)
    assert [entry.event for entry in history] == ["reserved", "built", "failed", "scrapped"]
    assert history[0].data == {
        "given": {"1": history[0].data["given"]["1"]},
        "lot": "7",
        "operator": "eve",
        "product": "lamp",
        "station": "bench 1",
    }
    assert history[2].data["why"] == "no answer"
    assert ledger.device(device.id).state == "scrapped"
    assert ledger.device(device.id).image_sha256 == "ab" * 32
    with pytest.raises(InputError, match="cannot become proven"):
        ledger.record({device.id: None}, "proven")
    assert ledger.verify() == 5


def test_turn_is_all_or_nothing(ledger: Ledger) -> None:
    with ledger.turn():
        (device,) = ledger.reserve(LAMP, Lamps(), [NOW])
        ledger.bind(device.id, mac="24:0a:c4:00:00:01")
        ledger.record({device.id: "ab" * 32}, "built")
    assert [entry.event for entry in ledger.history(device.id)] == ["reserved", "bound", "built"]

    def reserve_and_fail() -> None:
        with ledger.turn():
            list(ledger.reserve(LAMP, Lamps(), [NOW]))
            ledger.bind(3, mac="24:0a:c4:00:00:02")

    with pytest.raises(InputError, match="no device 3"):
        reserve_and_fail()
    assert len(list(ledger.devices())) == 1
    assert next(ledger.reserve(LAMP, Lamps(), [NOW])).draft.values["device:serial"] == "SN1001"
    ledger.verify()


def test_device_is_found_by_a_unique_value(ledger: Ledger) -> None:
    list(ledger.reserve(LAMP, Lamps(), [NOW] * 3))
    assert [device.public["serial"] for device in ledger.find("SN1001")] == ["SN1001"]
    assert ledger.find("SN1") == []


def test_secrets_are_sealed_to_the_made_key(ledger_url: str, station: Station) -> None:
    ledger, private_key = create_ledger(ledger_url, station)
    lamps = Lamps()
    list(ledger.reserve(LAMP, lamps, [NOW]))
    assert private_key is not None
    assert private_key.stat().st_mode & 0o777 == 0o600
    assert ledger.reveal(1, private_key, why="returned") == {"secrets:password": lamps.passwords[0]}
    assert ledger.history(1)[-1].event == "revealed"
    stranger = station.folder / "stranger.agekey"
    stranger.write_text(str(pyrage.x25519.Identity.generate()))
    with pytest.raises(LedgerError, match="cannot read the secrets"):
        ledger.reveal(1, stranger)
    ledger.close()


def test_forgotten_secrets_are_not_in_the_ledger_and_still_unique(ledger_url: str, station: Station) -> None:
    ledger, private_key = create_ledger(ledger_url, station, secrets="forgotten")
    list(ledger.reserve(LAMP, Lamps(), [NOW]))
    assert private_key is None
    with connected(ledger_url) as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM sealed").scalar() == 0
        assert connection.exec_driver_sql("SELECT count(*) FROM claim").scalar() == 3
    ledger.close()


def test_no_secret_is_in_database_state_folder_log_or_temporary_file(
    ledger: Ledger,
    ledger_url: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nor in an error, in what a reserved device says of itself, or in an argument of the process that runs this."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    lamps = Lamps()
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("sqlalchemy.engine").setLevel(logging.DEBUG)
        reserved = list(ledger.reserve(LAMP, lamps, [NOW] * 20))
        ledger.renew(3, lamps, NOW)
        with pytest.raises(InputError) as refused:
            next(ledger.reserve(LAMP, Lamps(counters={"serial": CounterRange(1, 2)}), [NOW]))
        logging.getLogger("sqlalchemy.engine").setLevel(logging.NOTSET)
    ledger.close()
    everything = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    with connected(ledger_url) as connection:
        for table in metadata.sorted_tables:
            everything += repr(connection.execute(sa.select(table)).all()).encode()
    everything += (
        repr((reserved, refused.value, vars(refused.value), sys.argv)).encode() + caplog.text.encode()
    )
    assert b"SN1000" in everything
    assert "INSERT INTO device" in caplog.text
    assert len(lamps.passwords) == 21
    assert not [password for password in lamps.passwords if password.encode() in everything]


@pytest.mark.parametrize("table", [one for one in APPEND_ONLY if one != "burnt"])
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "UPDATE {0} SET {1} = {1}"])
def test_what_was_written_cannot_be_changed(
    ledger: Ledger, ledger_url: str, table: str, statement: str
) -> None:
    list(ledger.reserve(LAMP, Lamps(), [NOW]))
    column = metadata.tables[table].columns.keys()[0]
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), connected(ledger_url) as connection:
        connection.exec_driver_sql(statement.format(table, column))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("UPDATE journal SET data = replace(data, 'eve', 'bob') WHERE seq = 2", "line 2 of the journal"),
        ("UPDATE device SET public = replace(public, 'SN1000', 'SN1009')", "device 1 has not the values"),
        ("DELETE FROM claim WHERE scope = 'lamp/serial' AND device = 2", "device 2 has not the values"),
        ("UPDATE sealed SET data = x'00' WHERE device = 2", "device 2 has not the values"),
        ("UPDATE device SET state = 'reserved' WHERE id = 1", "device 1 is not failed"),
        ("UPDATE device SET image_sha256 = 'ab' WHERE id = 1", "device 1 is not failed"),
        ("UPDATE chip SET mac = '24:0a:c4:00:00:02'", "device 2 is bound to another chip"),
        ("DELETE FROM chip", "device 2 is bound to another chip"),
        (
            "INSERT INTO chip (device, mac) VALUES (1, '24:0a:c4:00:00:01')",
            "device 1 is bound to another chip",
        ),
        ("UPDATE counter SET next = 1001 WHERE name = 'serial'", "the counter 'serial' was set back"),
        ("DELETE FROM counter WHERE name = 'serial'", "the counter 'serial' is gone"),
        ("UPDATE about SET recipients = '[]'", "its kind, its keys or its recipients"),
        ("DELETE FROM journal_device; DELETE FROM journal WHERE seq = 2", "line 2 of the journal"),
        (
            "DELETE FROM journal_device; DELETE FROM claim; DELETE FROM sealed; DELETE FROM chip; DELETE FROM device",
            "tells of 2 devices",
        ),
    ],
)
def test_tampering_behind_the_triggers_is_found(
    tmp_path: Path, station: Station, change: str, message: str
) -> None:
    url = str(tmp_path / "ledger.db")
    ledger, _ = create_ledger(url, station)
    list(ledger.reserve(LAMP, Lamps(), [NOW] * 2))
    ledger.record({1: None}, "failed")
    ledger.bind(2, mac="24:0A:C4:00:00:01")
    assert ledger.verify() == 4
    with connected(url) as connection:
        for table in APPEND_ONLY:
            for verb in ("update", "delete"):
                connection.exec_driver_sql(f"DROP TRIGGER {table}_no_{verb}")
        for statement in change.split("; "):
            connection.exec_driver_sql(statement)
    with pytest.raises(LedgerError, match=message):
        ledger.verify()
    ledger.close()


def test_migrations_make_the_tables_of_the_code(ledger: Ledger, ledger_url: str) -> None:
    with connected(ledger_url) as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


@pytest.fixture
def backup(tmp_path: Path, station: Station) -> tuple[str, Path]:
    """A ledger of 5 devices, and its file as it was when it had 3."""
    url = tmp_path / "ledger.db"
    ledger, _ = create_ledger(str(url), station)
    list(ledger.reserve(LAMP, Lamps(), [NOW] * 3))
    ledger.close()
    copy = tmp_path / "backup.db"
    shutil.copy(url, copy)
    with open_ledger(str(url), station) as again:
        list(again.reserve(LAMP, Lamps(), [NOW] * 2))
    return str(url), copy


def test_restored_backup_is_refused_until_it_is_accepted(backup: tuple[str, Path], station: Station) -> None:
    url, copy = backup
    shutil.copy(copy, url)
    with pytest.raises(LedgerError, match="restored from a backup"):
        open_ledger(url, station)
    assert accept_restore(url, station) == {"device": 6, "serial": 1005}
    with open_ledger(url, station) as ledger:
        (device,) = ledger.reserve(LAMP, Lamps(), [NOW])
    assert device.draft.values["device:serial"] == "SN1005"
    with open_ledger(url, station) as ledger:
        assert ledger.verify() == 4


def test_restored_backup_that_went_on_elsewhere_is_refused(
    backup: tuple[str, Path], station: Station
) -> None:
    url, copy = backup
    shutil.copy(copy, url)
    other = replace(station, folder=station.folder.with_name("other"))
    shutil.copytree(station.folder, other.folder)
    (other.folder / next(path.name for path in other.folder.glob("*.witness.json"))).unlink()
    with open_ledger(url, other) as ledger:  # has never seen it, so it cannot know
        list(ledger.reserve(LAMP, Lamps(), [NOW] * 9))
    with pytest.raises(LedgerError, match="restored from a backup"):
        open_ledger(url, station)


@pytest.mark.parametrize("ledger_url", ["mysql://x/y", "nonsense://x", "postgresql://"], indirect=False)
def test_what_is_no_ledger_is_refused(ledger_url: str, station: Station) -> None:
    with pytest.raises((InputError, LedgerError)):
        open_ledger(ledger_url, station)


def test_missing_file_is_refused_and_not_made(tmp_path: Path, station: Station) -> None:
    with pytest.raises(LedgerError, match="no ledger"):
        open_ledger(str(tmp_path / "ledger.db"), station)
    assert list(tmp_path.iterdir()) == []


def test_station_without_the_index_key_is_refused(backup: tuple[str, Path], station: Station) -> None:
    with pytest.raises(LedgerError, match="index key"):
        open_ledger(backup[0], replace(station, folder=station.folder / "another"))


def test_backup_that_is_restored_under_an_open_ledger_is_refused(
    backup: tuple[str, Path], station: Station
) -> None:
    url, copy = backup
    with open_ledger(url, station) as ledger:
        ledger.close()  # its connections, as a server that was put back does
        for path in Path(url).parent.glob("ledger.db-*"):
            path.unlink()
        shutil.copy(copy, url)
        with pytest.raises(LedgerError, match="restored from a backup"):
            next(ledger.reserve(LAMP, Lamps(), [NOW]))


def test_accepted_restore_skips_what_other_stations_have_seen(
    backup: tuple[str, Path], station: Station
) -> None:
    url, copy = backup
    other = replace(station, folder=station.folder.with_name("other"))
    shutil.copytree(station.folder, other.folder)
    with open_ledger(url, other) as ledger:
        list(ledger.reserve(LAMP, Lamps(), [NOW] * 7))
    shutil.copy(copy, url)
    (seen,) = other.folder.glob("*.witness.json")
    assert accept_restore(url, station, others=[seen]) == {"device": 13, "serial": 1012}


def test_random_values_that_were_handed_out_since_the_backup_stay_handed_out(
    tmp_path: Path, station: Station
) -> None:
    """Of 20 codes 4 are in the backup, 8 were handed out since."""
    url, copy, lamps = tmp_path / "ledger.db", tmp_path / "backup.db", Lamps(codes=20)
    create_ledger(str(url), station)[0].close()
    codes: list[list[str]] = []
    for count in (4, 8):
        with open_ledger(str(url), station) as ledger:
            codes.append([one.draft.public["code"] for one in ledger.reserve(LAMP, lamps, [NOW] * count)])
        if not copy.exists():
            shutil.copy(url, copy)
    shutil.copy(copy, url)
    accept_restore(str(url), station)
    with open_ledger(str(url), station) as ledger:
        codes.append([one.draft.public["code"] for one in ledger.reserve(LAMP, lamps, [NOW] * 2)])
        ledger.verify()

        class Customers(Lamps):
            def draw(
                self, counters: Mapping[str, int], context: Context, kept: Mapping[str, Value] | None = None
            ) -> Draft:
                taken = Claim("lamp/code", codes[1][0].encode())
                return super().draw(counters, context, kept)._replace(claims=(taken,))

        with pytest.raises(InputError, match="handed out before a backup of the ledger was put back"):
            next(ledger.reserve(LAMP, Customers(), [NOW]))
    assert len({code for part in codes for code in part}) == 14


def test_station_remembers_too_little_of_a_secret_to_tell_it() -> None:
    key = IndexKey(b"k" * 32)
    tags = {key.tag("s", key.blind("s", b"%08d" % code), is_secret=True) for code in range(200)}
    assert {len(tag) for tag in tags} == {6}  # 24 bits: of 10^8 codes about six have the same
    assert len({key.tag("s", b"%d" % code, is_secret=False) for code in range(200)}) == 200


@pytest.mark.parametrize("kind", ["batch", "zip", "export", "station"])
def test_file_is_witness_of_a_restored_backup(backup: tuple[str, Path], station: Station, kind: str) -> None:
    """To a station that has never seen the ledger."""
    url, copy = backup
    with open_ledger(url, station) as ledger:
        said = {"witness": ledger.witness()}
    file = copy.with_name(
        {"batch": "lot", "zip": "lot.zip", "export": "lines.jsonl", "station": "x.json"}[kind]
    )
    if kind == "batch":
        file.mkdir()
        (file / "batch.json").write_text(json.dumps(said))
    elif kind == "zip":
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("batch.json", json.dumps(said))
    elif kind == "export":
        file.write_text(f"{json.dumps(said)}\n" * 2)
    else:
        file.write_bytes(next(station.folder.glob("*.witness.json")).read_bytes())
    open_ledger(url, station, witnesses=[file]).close()
    next(station.folder.glob("*.witness.json")).unlink()
    shutil.copy(copy, url)
    with (
        open_ledger(url, station) as ledger,
        pytest.raises(LedgerError, match="from a backup: it knows line 3"),
    ):
        ledger.verify([file])
    with pytest.raises(LedgerError, match="from a backup"):
        open_ledger(url, station, witnesses=[file])
    assert accept_restore(url, station, others=[file]) == {"device": 6, "serial": 1005}
    with pytest.raises(LedgerError) as caught:
        open_ledger(url, station, witnesses=[file])
    assert "begin another batch" in caught.value.hint


def test_device_whose_public_values_went_with_its_secrets_is_what_it_was_given(ledger: Ledger) -> None:
    list(ledger.reserve(LAMP, Lamps(), [NOW] * 2))
    before = ledger.device(2).public

    class Together(Lamps):
        def draw(
            self, counters: Mapping[str, int], context: Context, kept: Mapping[str, Value] | None = None
        ) -> Draft:
            return super().draw(counters, context)

    ledger.renew(2, Together(), NOW)
    assert ledger.device(2).public["code"] != before["code"]
    assert ledger.verify() == 3


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"witness": {"seq": "x"}}', '{"ledger": "another", "seq": 1}']
)
def test_file_that_knows_nothing_of_the_ledger_is_no_witness(
    backup: tuple[str, Path], station: Station, text: str
) -> None:
    file = backup[1].with_name("x.json")
    file.write_text(text)
    with (
        open_ledger(backup[0], station) as ledger,
        pytest.raises(LedgerError, match="no witness of this ledger"),
    ):
        ledger.verify([file])


REVISIONS = [one.revision for one in ScriptDirectory(str(Path(migrations.__file__).parent)).walk_revisions()]


def recorded_ledger(revision: str, url: str, station: Station) -> None:
    """A ledger with the schema and the rows of its time, and what its station kept of it."""
    recorded = json.loads((LEDGERS / f"{revision}.json").read_text())
    for name, text in recorded["station"].items():
        station.folder.mkdir(exist_ok=True)
        (station.folder / name).write_text(text)
    with connected(url) as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(migrations.__file__).parent))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        tables = sa.MetaData()
        tables.reflect(connection)
        for table in tables.sorted_tables:
            rows = [
                {
                    name: b64decode(value["base64"])
                    if isinstance(table.c[name].type, sa.LargeBinary)
                    else value
                    for name, value in row.items()
                }
                for row in recorded["rows"].get(table.name, [])
            ]
            if rows and table.name != "alembic_version":
                connection.execute(sa.insert(table), rows)


@pytest.mark.parametrize("revision", REVISIONS)
def test_ledger_of_each_schema_is_upgraded_proven_and_goes_on(
    ledger_url: str, station: Station, revision: str
) -> None:
    recorded_ledger(revision, ledger_url, station)
    if revision != REVISION:
        with pytest.raises(LedgerError, match=f"has schema {revision}"):
            open_ledger(ledger_url, station)
    upgrade_ledger(ledger_url, station)
    with open_ledger(ledger_url, station) as ledger:
        lines = ledger.verify()
        assert [(one.id, one.state) for one in ledger.devices()] == [
            (1, "flashed"),
            (2, "built"),
            (3, "scrapped"),
            (4, "reserved"),
        ]
        assert [one.id for one in ledger.find("SN1002")] == [3]
        assert next(ledger.reserve(LAMP, Lamps(), [NOW])).draft.public["serial"] == "SN1004"
        ledger.renew(1, Lamps(), NOW)
        ledger.bind(2, mac="24:0A:C4:00:00:02")
        ledger.record({2: None}, "flashed")
        assert ledger.verify() == lines + 4
    upgrade_ledger(ledger_url, station)
    with open_ledger(ledger_url, station) as ledger:
        assert ledger.verify() == lines + 4


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE device SET state = 'built' WHERE id = 3",
        "UPDATE device SET image_sha256 = 'ee' WHERE id = 1",
        "UPDATE device SET item_values = '{}' WHERE id = 4",
        "UPDATE chip SET mac = '24:0a:c4:00:00:09'",
        "DELETE FROM chip",
        "INSERT INTO chip (device, mac) VALUES (3, 'x')",
    ],
)
def test_change_of_an_upgraded_ledger_is_found(tmp_path: Path, station: Station, statement: str) -> None:
    url = str(tmp_path / "ledger.db")
    recorded_ledger("0001", url, station)
    upgrade_ledger(url, station)
    with connected(url) as connection:
        connection.exec_driver_sql(statement)
    with open_ledger(url, station) as ledger, pytest.raises(LedgerError, match="device"):
        ledger.verify()


def test_restore_is_not_accepted_when_nothing_was_restored(
    backup: tuple[str, Path], station: Station
) -> None:
    with pytest.raises(LedgerError, match="nothing to accept"):
        accept_restore(backup[0], station)


def test_ledger_that_was_deleted_is_not_made_anew(backup: tuple[str, Path], station: Station) -> None:
    Path(backup[0]).unlink()
    with pytest.raises(LedgerError, match="there was a ledger here"):
        create_ledger(backup[0], station)


def test_ledger_beside_its_keys_is_refused(station: Station) -> None:
    with pytest.raises(InputError, match="must not lie beside"):
        create_ledger(str(station.folder / "ledger.db"), station)


def test_missing_file_that_is_given_as_url_is_not_made(tmp_path: Path, station: Station) -> None:
    with pytest.raises(LedgerError, match="no ledger"):
        open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}", station)
    assert list(tmp_path.iterdir()) == []


def test_words_that_are_no_utf_8_are_written_out(ledger: Ledger) -> None:
    (one,) = ledger.reserve(LAMP, Lamps(), [NOW])
    ledger.note([one.id], "seen", why="\udcff")  # as the system names a user
    assert ledger.history(one.id)[-1].data["why"] == "\\xff"
    ledger.verify()
