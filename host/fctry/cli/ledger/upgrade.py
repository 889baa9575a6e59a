"""Bring the ledger to what this version works with: its schema, and what `verify` compares devices with.

fctry ledger upgrade --ledger ledger.db
"""

from __future__ import annotations

from fctry.cli.arguments import Arguments
from fctry.cli.ledgers import LEDGER_HERE, place_of, station_of
from fctry.identity.ledger import upgrade_ledger

PARAMETERS = (*LEDGER_HERE,)


def run(args: Arguments) -> int:
    upgrade_ledger(place_of(args), station_of(args))
    print("the ledger is up to date")
    return 0
