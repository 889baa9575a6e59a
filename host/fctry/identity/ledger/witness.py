"""What a station remembers of a ledger, outside of it: how far it had come. So a restored backup is noticed.

A database that was put back to yesterday's state looks right from inside and would hand out today's values again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock
from sqlalchemy import Connection, select

from fctry.errors import LedgerError
from fctry.files import replace_file, sync_folder
from fctry.identity.ledger import journal
from fctry.identity.ledger.tables import journal as lines

_SUFFIX = ".witness.json"


@dataclass(frozen=True)
class Witness:
    """The last line of the journal that this station has seen, and the next number of each counter by then.

    `place` is where the ledger was.
    """

    place: str
    seq: int
    hash: str
    counters: Mapping[str, int]


def read_witness(folder: Path, ledger: str) -> Witness | None:
    """What this station remembers of a ledger; None if it never saw it. Raises LedgerError for a damaged file."""
    path = _path(folder, ledger)
    return parse_witness(path) if path.exists() else None


def parse_witness(path: Path) -> Witness:
    """What a station remembers of a ledger in this file. Raises LedgerError."""
    try:
        return Witness(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise LedgerError(
            f"the station's witness of the ledger cannot be read: {error}",
            hint="remove it after a look at what was handed out: `fctry ledger show`",
            file=path,
        ) from None


def places(folder: Path) -> set[str]:
    """Where the ledgers are that this station has seen."""
    return {parse_witness(path).place for path in folder.glob(f"*{_SUFFIX}")}


def is_behind(connection: Connection, witness: Witness) -> bool:
    """Whether the ledger has not the line of the journal that the witness has seen."""
    return connection.scalar(select(lines.c.hash).where(lines.c.seq == witness.seq)) != witness.hash


def check_witness(connection: Connection, folder: Path, ledger: str) -> None:
    """Raise LedgerError if this station has seen more of the ledger than there is."""
    witness = read_witness(folder, ledger)
    if witness and is_behind(connection, witness):
        raise LedgerError(
            f"the ledger was restored from a backup: this station has seen line {witness.seq} of its journal, "
            f"and it has {journal.head_of(connection).seq} lines that are not the same",
            hint="what was handed out since would be handed out again; `fctry ledger accept-restore` skips it",
        )


def write_witness(folder: Path, ledger: str, witness: Witness, *, is_forced: bool = False) -> None:
    """Remember this, for good. Of two processes of a station the one that has seen more wins.

    `is_forced`: what this station has seen before is not so any more, as an operator says.
    """
    path = _path(folder, ledger)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with FileLock(path.with_suffix(".lock")):
            try:
                known = json.loads(path.read_text())["seq"]
            except (OSError, ValueError, KeyError):
                known = 0
            if known <= witness.seq or is_forced:
                replace_file(str(path), json.dumps(asdict(witness)).encode(), is_private=True)
                sync_folder(str(folder))
    except OSError as error:
        raise LedgerError(
            f"the station cannot remember what it has seen of the ledger: {error.strerror}",
            hint="what was reserved just now is in the ledger and nobody has it: make room, and go on",
            file=path,
        ) from None


def _path(folder: Path, ledger: str) -> Path:
    return folder / f"{ledger}{_SUFFIX}"
