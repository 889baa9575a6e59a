"""Connections to the ledger's database: SQLite, one file, or PostgreSQL, for several stations."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path
from typing import Any

from sqlalchemy import ClauseElement, Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from fctry.errors import InputError, LedgerError

BUSY_TIMEOUT_S = 300.0  # fifty processes that take turns
WRITERS_LOCK = 0x66637472  # of PostgreSQL's advisory locks, which are numbers: `fctr`
REVISION = "0002"


def url_of(ledger: str) -> str:
    """The URL of a ledger that is given as one, or as the path of an SQLite file."""
    return ledger if "://" in ledger else f"sqlite:///{Path(ledger)}"


def open_engine(ledger: str) -> Engine:
    """An engine for a ledger. Raises InputError for what is none, LedgerError where its driver is missing."""
    try:
        url = make_url(url_of(ledger))
        backend = url.get_backend_name()
        if backend == "sqlite":
            engine = create_engine(url, hide_parameters=True, connect_args={"timeout": BUSY_TIMEOUT_S})
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
            return engine
        if backend == "postgresql":
            return create_engine(url.set(drivername="postgresql+psycopg"), hide_parameters=True)
    except (ArgumentError, NoSuchModuleError):
        backend = ""
    except ModuleNotFoundError as error:
        raise LedgerError(
            f"the ledger needs the Python module {error.name}", hint="pip install 'fctry[postgresql]'"
        ) from None
    raise InputError(
        f"no ledger: {ledger!r}" if not backend else f"a ledger cannot be kept in {backend}",
        hint="give the path of an SQLite file, or postgresql://USER@HOST/DATABASE",
    )


def place_of(engine: Engine) -> str:
    """Where a ledger is, with *** in place of a password."""
    if engine.dialect.name == "sqlite":
        return str(Path(engine.url.database or "").resolve())
    return engine.url.render_as_string()


def _prepare_sqlite(connection: sqlite3.Connection, _: Any) -> None:
    connection.isolation_level = None  # transactions begin and end where this code says so
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # a reader that becomes a writer would be refused while another writes, instead of waiting
    is_writing = connection.get_execution_options().get("is_writing")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing else "BEGIN")


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that sees one state of the ledger and keeps nobody waiting. Raises LedgerError."""
    with _translated(), engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin():
            yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that nobody else writes beside: all of it, or nothing. Raises LedgerError.

    Writers take turns from the first statement on: each line of the journal needs the hash of the one before.
    """
    with _translated(), engine.connect() as connection:
        connection.execution_options(is_writing=True)
        with connection.begin():
            if engine.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITERS_LOCK})")
            yield connection


def execute_many(connection: Connection, statement: ClauseElement, rows: Sequence[Mapping[str, Any]]) -> int:
    """Run a statement for each of these rows, of several values, which the driver takes as they are.

    Returns how many rows of the table that has changed.

    What SQLAlchemy does for a row beside that takes longer than the database does.
    """
    compiled: Any = statement.compile(dialect=connection.dialect)
    names = compiled.positiontup  # None where the driver takes values by name
    values = list(rows if names is None else map(itemgetter(*names), rows))
    return connection.exec_driver_sql(compiled.string, values).rowcount


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        reason = str(error.orig).strip().splitlines()
        raise LedgerError(
            f"the ledger failed: {reason[0] if reason else type(error.orig).__name__}",
            hint="nothing of what was being done is in it. Is there room on the disk, and is the server up?",
        ) from None
    except OverflowError:  # of SQLite's driver; that of PostgreSQL has an error of its own
        raise LedgerError("the ledger failed: a number is too large", hint="devices count from 1") from None
    except SQLAlchemyError as error:
        raise LedgerError(
            f"the ledger failed: {type(error).__name__}", hint="is it a ledger at all?"
        ) from None


def upgrade(connection: Connection) -> None:
    """Bring the schema to the newest revision."""
    from alembic import command  # costs more than a reservation
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "fctry.identity.ledger:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def revision_of(connection: Connection) -> str | None:
    """The revision of the schema, None where there is no ledger."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found
