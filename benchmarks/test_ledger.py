"""Reserving devices by several processes together, against bare INSERTs of the same rows by one."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.unit.identity import stations
from tests.unit.identity.conftest import (  # noqa: F401  fixtures
    ledger,
    ledger_url,
    postgresql_connection,
    postgresql_server,
    station,
)

from fctry.identity.ledger import Ledger, Station
from fctry.identity.ledger.database import open_engine
from fctry.identity.ledger.tables import claim, device, journal_device, sealed

LEAST_DEVICES_PER_S = 1000  # in PostgreSQL, from 8 processes
ROWS_AT_ONCE = 400


@pytest.fixture(autouse=True)
def durable(request: pytest.FixtureRequest) -> None:
    """The server waits for its disk, as everywhere but in the unit tests."""
    import psycopg

    with psycopg.connect(request.getfixturevalue("postgresql_server"), autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = on")
        connection.execute("SELECT pg_reload_conf()")


def _contend(url: str, state: Path, out: Path, processes: int, devices: int) -> float:
    """Let processes reserve together; devices a second, without the start of Python."""
    out.mkdir()
    command = [sys.executable, stations.__file__, "contend", url, state, out, processes, devices, 1]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found = re.search(r"([0-9.]+) s", done.stdout)
    assert found
    lines = [line.split() for path in out.iterdir() for line in path.read_text().splitlines()]
    assert len({serial for _, serial, _, _ in lines}) == len(lines) == processes * devices
    return len(lines) / float(found[1])


def _bare(url: str) -> float:
    """Insert the rows of the ledger's devices into tables without constraints; devices a second."""
    engine = open_engine(url)
    with engine.connect() as connection:
        connection.execution_options(is_writing=True)
        tables = []
        for table in (device, claim, sealed, journal_device):
            rows = [dict(row) for row in connection.execute(sa.select(table)).mappings()]
            columns = [sa.Column(column.name, column.type) for column in table.columns]
            bare = sa.Table(f"bare_{table.name}", sa.MetaData(), *columns)
            bare.create(connection)
            tables.append((bare, rows))
        connection.commit()
        began_s = time.perf_counter()
        for bare, rows in tables:
            for start in range(0, len(rows), ROWS_AT_ONCE):
                connection.execute(sa.insert(bare), rows[start : start + ROWS_AT_ONCE])
                connection.commit()
        took_s = time.perf_counter() - began_s
    engine.dispose()
    return len(tables[0][1]) / took_s


def test_reserving_by_8_processes(ledger: Ledger, ledger_url: str, station: Station, tmp_path: Path) -> None:  # noqa: F811
    per_s = _contend(ledger_url, station.folder, tmp_path / "out", 8, 1000)
    bare_per_s = _bare(ledger_url)
    kind = "PostgreSQL" if "://" in ledger_url else "SQLite"
    print(
        f"\n{kind}: {per_s:.0f} devices a second from 8 processes, bare INSERTs {bare_per_s:.0f}:"
        f" {per_s / bare_per_s:.0%}"
    )
    if kind == "PostgreSQL":
        assert per_s >= LEAST_DEVICES_PER_S


@pytest.mark.timeout(600)
def test_50_processes_reserve_10000_devices(
    ledger: Ledger,  # noqa: F811
    ledger_url: str,  # noqa: F811
    station: Station,  # noqa: F811
    tmp_path: Path,
) -> None:
    per_s = _contend(ledger_url, station.folder, tmp_path / "out", 50, 200)
    serials = {one.public["serial"] for one in ledger.devices()}
    assert serials == {f"SN{1000 + n}" for n in range(10_000)}
    print(f"\n50 processes, 10,000 devices: {per_s:.0f} a second")
