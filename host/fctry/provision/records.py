"""The records that a ledger has: each try is a line of its journal."""

from __future__ import annotations

from fctry.identity.ledger import Ledger
from fctry.provision.record import Record, from_dict
from fctry.provision.run import TRIED


def records_of(ledger: Ledger, device: int | None = None) -> list[Record]:
    """All of them, or those of one device, in the order of the tries."""
    return [from_dict(entry.data["record"]) for entry in ledger.history(device) if entry.event == TRIED]
