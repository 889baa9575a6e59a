"""What a station remembers of a ledger, outside of it: how far it had come. So a restored backup is noticed.

A database that was put back to yesterday's state looks right from inside and would hand out today's values again.
"""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from fctry.errors import LedgerError
from fctry.files import reason_of, replace_file, sync_folder, waiting_lock
from fctry.identity.ledger import journal
from fctry.identity.ledger.tables import counter
from fctry.identity.ledger.tables import journal as lines

_SUFFIX = ".witness.json"
BATCH = "batch.json"  # of a batch that `fctry batch` has made
WITNESS = "witness"  # what it is called in a batch and in an export


@dataclass(frozen=True)
class Witness:
    """The last line of the journal that this station has seen, and the next number of each counter by then.

    `place` is where the ledger was, where that is known.
    """

    place: str
    seq: int
    hash: str
    counters: Mapping[str, int]

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Witness:
        """What a batch, an export or a station's file says. Raises LookupError, TypeError or ValueError."""
        counters = {str(name): int(following) for name, following in said["counters"].items()}
        return cls(str(said.get("place", "")), int(said["seq"]), str(said["hash"]), counters)


def read_witness(folder: Path, ledger: str) -> Witness | None:
    """What this station remembers of a ledger; None if it never saw it. Raises LedgerError for a damaged file."""
    path = _path(folder, ledger)
    return parse_witness(path) if path.exists() else None


def parse_witness(path: Path) -> Witness:
    """What a station remembers of a ledger in this file. Raises LedgerError."""
    try:
        return Witness.of(json.loads(path.read_text()))
    except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise LedgerError(
            f"the station's witness of the ledger cannot be read: {reason_of(error)}",
            hint="remove it after a look at what was handed out: `fctry ledger show`",
            file=path,
        ) from None


def read_witnesses(path: Path, ledger: str) -> list[Witness]:
    """What a file knows of a ledger: a station's witness, a batch (folder, its batch.json or ZIP file) or an export.

    Raises LedgerError for one that knows nothing of this ledger.
    """
    try:
        return [
            Witness.of(said) for said in _sayings(path) if said.get("ledger", ledger) == ledger
        ] or _nothing()
    except (
        OSError,
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
        csv.Error,
        zipfile.BadZipFile,
    ) as error:
        raise LedgerError(
            f"no witness of this ledger: {reason_of(error)}",
            hint="give a batch, an export (CSV or JSON lines), or a *.witness.json of a station's state folder",
            file=path,
        ) from None


def _nothing() -> list[Witness]:
    raise ValueError("it tells of another ledger, or of none")


def _sayings(path: Path) -> Iterator[Mapping[str, Any]]:
    if path.is_dir():
        path = path / BATCH
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            yield json.loads(archive.read(BATCH))[WITNESS]
    elif path.suffix == ".jsonl":
        with path.open(encoding="utf-8") as lines:
            yield from (json.loads(line)[WITNESS] for line in lines)
    elif path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            said_by_lines = {row[WITNESS] for row in csv.DictReader(file)}
        yield from map(json.loads, said_by_lines)
    else:
        said = json.loads(path.read_text(encoding="utf-8"))
        yield said.get(WITNESS, said)


def check_files(connection: Connection, paths: Iterable[Path], ledger: str) -> None:
    """Raise LedgerError for a file that knows more of the ledger than there is."""
    for path in paths:
        for witness in read_witnesses(path, ledger):
            if is_behind(connection, witness):
                error = _restored(connection, witness, "it knows").at(file=path)
                if _is_skipped(connection, witness):
                    error.hint = (
                        "its devices are lost to the ledger, and their values skipped: begin another batch"
                    )
                raise error


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
        raise _restored(connection, witness, "this station has seen")


def _is_skipped(connection: Connection, witness: Witness) -> bool:
    """Whether the counters are behind what the witness has seen: the ledger has lost that, and it is accepted."""
    reached = {row.name: row.next for row in connection.execute(select(counter))}
    return all(following <= reached.get(name, 0) for name, following in witness.counters.items())


def _restored(connection: Connection, witness: Witness, who: str) -> LedgerError:
    return LedgerError(
        f"the ledger was restored from a backup: {who} line {witness.seq} of its journal, "
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
        with waiting_lock(str(path.with_suffix(".lock"))):
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
