"""Ledgers made, opened, and gone on with after a backup was put back."""

from __future__ import annotations

import os
import shlex
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, insert, update

from fctry.errors import InputError, LedgerError
from fctry.identity.ledger import journal, keys
from fctry.identity.ledger.database import (
    REVISION,
    open_engine,
    place_of,
    reading,
    revision_of,
    upgrade,
    writing,
)
from fctry.identity.ledger.ledger import Ledger, witness_of
from fctry.identity.ledger.memory import remembered
from fctry.identity.ledger.reservation import handed_out
from fctry.identity.ledger.tables import about, counter
from fctry.identity.ledger.witness import (
    Witness,
    check_files,
    check_witness,
    is_behind,
    places,
    read_witness,
    read_witnesses,
    write_witness,
)
from fctry.identity.sealing import check_recipients
from fctry.identity.station import Station

TOOL = "fctry"
SQLITE = b"SQLite format 3\0"
"""What its files begin with; an empty one is as good as none."""


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
    InputError for a recipient that is none, or of secrets that are forgotten, and for a state folder that is the
    ledger's, LedgerError where there is a ledger already, or was one.
    """
    check_recipients(recipients)
    if secrets == "forgotten" and recipients:
        raise InputError(
            "forgotten secrets have no recipient: nobody can read them",
            hint="leave out the recipient, or let secrets be sealed",
        )
    with _engine(ledger) as engine:
        _check_place(engine, station)
        _make_state_folder(station.folder)
        ledger_id = uuid.uuid4().hex
        private_key = None
        with writing(engine) as connection:
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
            seen = witness_of(connection)
        write_witness(station.folder, ledger_id, seen)
        return Ledger(engine, station, tool), private_key


def open_ledger(ledger: str, station: Station, *, tool: str = TOOL, witnesses: Iterable[Path] = ()) -> Ledger:
    """Open a ledger. `witnesses` are files that may know more of it than the station does.

    Raises LedgerError where there is none, for another schema, and for a restored backup.
    """
    with _existing(ledger) as engine:
        opened = Ledger(engine, station, tool)
        with reading(engine) as connection:
            check_witness(connection, station.folder, opened.id)
            check_files(connection, witnesses, opened.id)
        return opened


def accept_restore(ledger: str, station: Station, *, others: Iterable[Path] = ()) -> dict[str, int]:
    """Go on with a backup that was put back: counters go on behind what is known to be handed out.

    That is what this station's witness and those of `others` know, which are as `witness.read_witnesses` takes them:
    without them, what only other stations have handed out would be handed out again. Other values are burnt that a
    state folder with one of these witnesses remembers. Returns the next numbers of the counters that were moved.
    Raises LedgerError when nothing was restored.
    """
    with _existing(ledger) as engine:
        opened = Ledger(engine, station, TOOL)
        own = read_witness(station.folder, opened.id)
        witnesses = [own] if own else []
        others = list(others)
        witnesses += [one for path in others for one in read_witnesses(path, opened.id)]
        with writing(engine) as connection:
            if not any(is_behind(connection, witness) for witness in witnesses):
                raise LedgerError(
                    "the ledger has all that was seen of it: there is nothing to accept",
                    hint="give the witness files of the stations that have seen more",
                    file=ledger,
                )
            moved = _skip(connection, witnesses)
            folders = {station.folder, *(path.parent for path in others)}
            lost = opened.burn(connection, remembered(folders, opened.id))
            seen_by = sorted({(one.seq, one.hash) for one in witnesses})
            data = station.said(counters=moved, witnesses=seen_by, burnt=lost)
            journal.append(connection, "restore accepted", data)
            seen = witness_of(connection)
        write_witness(station.folder, opened.id, seen, is_forced=True)
        opened.close()
        return moved


def upgrade_ledger(ledger: str, station: Station) -> None:
    """Bring a ledger, schema and journal, to what this fctry works with. Raises LedgerError."""
    with _engine(ledger) as engine:
        _check_file(engine)
        with writing(engine) as connection:
            if not revision_of(connection):
                raise _no_ledger(engine)
            upgrade(connection)
        with Ledger(engine, station, TOOL) as upgraded:
            upgraded.adopt()


@contextmanager
def _engine(ledger: str) -> Iterator[Engine]:
    engine = open_engine(ledger)
    try:
        yield engine
    except BaseException:
        engine.dispose()
        raise


@contextmanager
def _existing(ledger: str) -> Iterator[Engine]:
    """The engine of a ledger that is there, in this version's schema."""
    with _engine(ledger) as engine:
        _check_file(engine)
        with reading(engine) as connection:
            revision = revision_of(connection)
        if revision is None:
            raise _no_ledger(engine)
        if revision != REVISION:
            raise LedgerError(
                f"the ledger has schema {revision}, this fctry works with {REVISION}",
                hint="fctry ledger upgrade, or install the newer fctry that has upgraded it",
            )
        yield engine


def _check_file(engine: Engine) -> None:
    """Raise LedgerError for a file that is not there, which SQLite would make, or is none of SQLite's."""
    if engine.dialect.name != "sqlite":
        return
    _check_name(engine)
    if not Path(place_of(engine)).is_file():
        raise _no_ledger(engine)


def _check_name(engine: Engine) -> None:
    """Raise LedgerError for a name that no file of SQLite's has or can get: its own words do not say why."""
    place = Path(place_of(engine))
    folder = shlex.quote(str(place.parent))
    if not place.parent.is_dir():
        hint = "" if place.parent.exists() else f", or make the folder: mkdir -p {folder}"
        raise LedgerError(f"there is no folder {folder}", hint=f"correct the name{hint}", file=place)
    if not os.access(place.parent, os.W_OK) and not place.with_name(f"{place.name}-shm").exists():
        raise LedgerError(
            f"you may not write to the folder {folder}",
            hint="SQLite writes files beside the ledger, even to read it: take a folder that you may write to",
            file=place,
        )
    if not place.exists():
        return
    if not place.is_file():
        raise LedgerError("this is no file", hint="give the name of the ledger, or of a new file", file=place)
    try:
        with place.open("rb") as file:
            head = file.read(len(SQLITE))
    except OSError as error:
        raise LedgerError(
            f"cannot read: {error.strerror}", hint="have its owner let you read and write it", file=place
        ) from None
    if head not in (b"", SQLITE):
        raise LedgerError(
            "this is no ledger", hint="give the name of the ledger, or of a new file", file=place
        )


def _no_ledger(engine: Engine) -> LedgerError:
    place = place_of(engine)
    hint = f"make one: fctry ledger create --ledger {shlex.quote(place)}"
    if engine.url.password is not None:
        hint += ", with the password in place of ***"
    return LedgerError("there is no ledger", hint=hint, file=place)


def _check_place(engine: Engine, station: Station) -> None:
    place = place_of(engine)
    if engine.dialect.name == "sqlite":
        if station.folder.resolve() == Path(place).parent:
            raise InputError(
                "the ledger must not lie beside its keys and witness: who copies or restores one has both",
                hint="choose another folder for the ledger, or for FCTRY_STATE",
                file=place,
            )
        _check_name(engine)
        if Path(place).is_file():
            return
    if place in places(station.folder):
        raise LedgerError(
            "there was a ledger here and it is gone: a new one would hand out the same values again",
            hint="take it from a backup, then `fctry ledger accept-restore`; or make another in another place",
            file=place,
        )


def _make_state_folder(folder: Path) -> None:
    """Raise InputError where keys and witness could not be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        hint = "choose another state folder: --state, or FCTRY_STATE"
        raise InputError(f"cannot make the folder: {error.strerror}", hint=hint, file=folder) from None


def _skip(connection: Connection, witnesses: Iterable[Witness]) -> dict[str, int]:
    """Move the counters behind what the witnesses have seen; returns those that were moved."""
    now = handed_out(connection)
    known: dict[str, int] = {}
    for witness in witnesses:
        for name, following in witness.counters.items():
            known[name] = max(following, known.get(name, following))
    moved = {name: following for name, following in known.items() if now.get(name, following - 1) < following}
    for name, following in moved.items():
        if name in now:
            connection.execute(update(counter).where(counter.c.name == name).values(next=following))
        else:
            connection.execute(insert(counter).values(name=name, next=following))
    return moved
