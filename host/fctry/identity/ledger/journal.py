"""The journal: what happened, line after line, each with the hash of all before it.

A line's hash is SHA-256 over the previous line's hash, its number, time, event and data, as they stand in the table.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, NamedTuple

from sqlalchemy import Connection, desc, insert, select

from fctry.errors import LedgerError
from fctry.identity.ledger.database import execute_many
from fctry.identity.ledger.tables import journal, journal_device

START = "0" * 64


class Head(NamedTuple):
    """The last line: its number, 0 before the first, and its hash."""

    seq: int
    hash: str


class Entry(NamedTuple):
    """A line of the journal."""

    seq: int
    at: str
    event: str
    data: Mapping[str, Any]
    hash: str


def head_of(connection: Connection) -> Head:
    """The journal's last line."""
    row = connection.execute(
        select(journal.c.seq, journal.c.hash).order_by(desc(journal.c.seq)).limit(1)
    ).first()
    return Head(*row) if row else Head(0, START)


def append(connection: Connection, event: str, data: Mapping[str, Any], devices: Sequence[int] = ()) -> Head:
    """Add a line about these devices, in a transaction of `database.writing`."""
    before = head_of(connection)
    at = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
    text_of_data = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    head = Head(before.seq + 1, _hash(before.hash, before.seq + 1, at, event, text_of_data))
    connection.execute(
        insert(journal).values(seq=head.seq, at=at, event=event, data=text_of_data, hash=head.hash)
    )
    if devices:
        execute_many(
            connection, insert(journal_device), [{"device": one, "seq": head.seq} for one in devices]
        )
    return head


def entries(connection: Connection, device: int | None = None) -> Iterator[Entry]:
    """The lines, in order; those about one device only, if it is given."""
    query = select(journal).order_by(journal.c.seq)
    if device is not None:
        query = query.join(journal_device).where(journal_device.c.device == device)
    for row in connection.execute(query):
        yield Entry(row.seq, row.at, row.event, json.loads(row.data), row.hash)


def check_chain(connection: Connection) -> int:
    """How many lines there are. Raises LedgerError at the first that was changed, or is missing."""
    expected = Head(0, START)
    for row in connection.execute(select(journal).order_by(journal.c.seq)):
        number = expected.seq + 1
        expected = Head(number, _hash(expected.hash, number, row.at, row.event, row.data))
        if (row.seq, row.hash) != expected:
            raise LedgerError(
                f"line {number} of the journal is not the one that was written: it was changed or taken out",
                hint="take the ledger from a backup, then `fctry ledger accept-restore`",
            )
    return expected.seq


def _hash(previous: str, seq: int, at: str, event: str, data: str) -> str:
    return hashlib.sha256("\n".join((previous, str(seq), at, event, data)).encode()).hexdigest()
