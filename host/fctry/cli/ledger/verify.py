"""Check that journal and devices are what was written, and that this station has not seen more of them.

fctry ledger verify
"""

from __future__ import annotations

from fctry.cli.arguments import Arguments
from fctry.cli.ledgers import LEDGER, existing_ledger

PARAMETERS = (*LEDGER,)


def run(args: Arguments) -> int:
    with existing_ledger(args) as ledger:
        print(f"whole: {ledger.verify()} lines of the journal")
    return 0
