"""Ledgers made, opened, and gone on with after a backup was put back."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, select, update

from fctry.errors import LedgerError
from fctry.identity.ledger import journal, keys
from fctry.identity.ledger.database import REVISION, open_engine, revision_of, transaction, upgrade
from fctry.identity.ledger.ledger import Ledger
from fctry.identity.ledger.reservation import handed_out
from fctry.identity.ledger.station import Station
from fctry.identity.ledger.tables import about, counter
from fctry.identity.ledger.tables import journal as lines
from fctry.identity.ledger.witness import read_witness

TOOL = "fctry"


def create_ledger(
    ledger: str,
    station: Station,
    *,
    secrets: str = "sealed",
    recipients: Sequence[str] = (),
    tool: str = TOOL,
) -> tuple[Ledger, Path | None]:
    """Make a new ledger whose secrets are `sealed` to the recipients, or `forgotten`.

    Without recipients a key pair is made, and the file of its private key is returned: say where it lies. Raises
    InputError for a recipient that is none, LedgerError where there is a ledger already.
    """
    keys.check_recipients(recipients)
    engine = open_engine(ledger)
    ledger_id = uuid.uuid4().hex
    private_key = None
    try:
        with transaction(engine) as connection:
            if revision_of(connection):
                raise LedgerError(
                    "there is a ledger already", hint="leave it, or choose another name", file=ledger
                )
            if secrets == "sealed" and not recipients:
                private_key, recipient = keys.new_key_pair(station.folder, ledger_id)
                recipients = [recipient]
            key = keys.index_key(station.folder, ledger_id)
            upgrade(connection)
            row: dict[str, Any] = {
                "ledger": ledger_id,
                "secrets": secrets,
                "index_key_id": key.id,
                "recipients": list(recipients),
            }
            connection.execute(insert(about).values(row))
            journal.append(connection, "created", station.said(**row))
        made = Ledger(engine, station, tool)
        made.remember()
    except BaseException:
        engine.dispose()
        raise
    return made, private_key


def open_ledger(ledger: str, station: Station, *, tool: str = TOOL, is_restored: bool = False) -> Ledger:
    """Open a ledger. Raises LedgerError where there is none, for another schema, and for a restored backup.

    `is_restored` accepts a backup that was put back: counters go on behind what this station knows to be handed out.
    Random values that were handed out since the backup are not known any more.
    """
    if "://" not in ledger and not Path(ledger).is_file():
        raise LedgerError("there is no ledger", hint="make one: fctry ledger create", file=ledger)
    engine = open_engine(ledger)
    try:
        with transaction(engine) as connection:
            _check_revision(revision_of(connection))
        opened = Ledger(engine, station, tool)
        with transaction(engine) as connection:
            if is_restored:
                _skip(connection, station, opened.id)
            else:
                _check_witness(connection, station, opened.id)
        opened.remember(is_forced=is_restored)
    except BaseException:
        engine.dispose()
        raise
    return opened


def upgrade_ledger(ledger: str) -> None:
    """Bring a ledger's schema to what this fctry works with. Raises LedgerError."""
    engine = open_engine(ledger)
    try:
        with transaction(engine) as connection:
            if not revision_of(connection):
                raise LedgerError("there is no ledger", hint="make one: fctry ledger create", file=ledger)
            upgrade(connection)
    finally:
        engine.dispose()


def _check_revision(revision: str | None) -> None:
    if revision is None:
        raise LedgerError("there is no ledger in this database", hint="make one: fctry ledger create")
    if revision != REVISION:
        raise LedgerError(
            f"the ledger has schema {revision}, this fctry works with {REVISION}",
            hint="fctry ledger upgrade, or install the newer fctry that has upgraded it",
        )


def _check_witness(connection: Connection, station: Station, ledger_id: str) -> None:
    witness = read_witness(station.folder, ledger_id)
    if witness is None:
        return
    found = connection.execute(select(lines.c.hash).where(lines.c.seq == witness.seq)).scalar()
    if found != witness.hash:
        raise LedgerError(
            f"the ledger was restored from a backup: this station has seen line {witness.seq} of its journal, "
            f"and it has {journal.head_of(connection).seq} lines that are not the same",
            hint="what was handed out since would be handed out again; `fctry ledger accept-restore` skips it",
        )


def _skip(connection: Connection, station: Station, ledger_id: str) -> None:
    journal.lock(connection)
    witness = read_witness(station.folder, ledger_id)
    now = handed_out(connection)
    skipped = {}
    for name, following in (witness.counters if witness else {}).items():
        if name not in now:
            connection.execute(insert(counter).values(name=name, next=following))
        elif now[name] < following:
            connection.execute(update(counter).where(counter.c.name == name).values(next=following))
        else:
            continue
        skipped[name] = following
    data = station.said(counters=skipped, witness=witness.seq if witness else None)
    journal.append(connection, "restore accepted", data)
