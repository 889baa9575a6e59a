"""What a station remembers of a ledger, outside of it: how far it had come. So a restored backup is noticed.

A database that was put back to yesterday's state looks right from inside and would hand out today's values again.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock

from fctry.errors import LedgerError
from fctry.identity.ledger.journal import Head


@dataclass(frozen=True)
class Witness:
    """The last line of the journal that this station has seen, and the next number of each counter by then."""

    seq: int
    hash: str
    counters: Mapping[str, int]


def read_witness(folder: Path, ledger: str) -> Witness | None:
    """What this station remembers of a ledger; None if it never saw it. Raises LedgerError for a damaged file."""
    path = _path(folder, ledger)
    try:
        return Witness(**json.loads(path.read_text()))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise LedgerError(
            f"the station's witness of the ledger cannot be read: {error}",
            hint="`fctry ledger accept-restore` makes a new one, after a look at what was handed out",
            file=path,
        ) from None


def write_witness(
    folder: Path, ledger: str, head: Head, counters: Mapping[str, int], *, is_forced: bool = False
) -> None:
    """Remember this, for good. Of two processes of a station the one that has seen more wins.

    `is_forced`: what this station has seen before is not so any more, as an operator says.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = _path(folder, ledger)
    with FileLock(path.with_suffix(".lock")):
        try:
            known = json.loads(path.read_text())["seq"]
        except (OSError, ValueError, KeyError):
            known = 0
        if known <= head.seq or is_forced:
            _replace(path, Witness(head.seq, head.hash, dict(counters)))


def _replace(path: Path, witness: Witness) -> None:
    part = path.with_suffix(f".{secrets.token_hex(6)}.part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(asdict(witness), file)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _path(folder: Path, ledger: str) -> Path:
    return folder / f"{ledger}.witness.json"
