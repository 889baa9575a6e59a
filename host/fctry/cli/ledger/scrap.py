"""Scrap devices: that is the end of them, and their values are never handed out again.

fctry ledger scrap 17 --why 'fell off the belt'
"""

from __future__ import annotations

from fctry.cli.arguments import Argument, Arguments, Option
from fctry.cli.ledgers import LEDGER_HERE, existing_ledger

PARAMETERS = (
    Argument("device", nargs=-1, required=True, type=int, help="its number in the ledger"),
    Option("--why", required=True, help="the reason, for the journal"),
    *LEDGER_HERE,
)


def run(args: Arguments) -> int:
    with existing_ledger(args) as ledger:
        ledger.record(dict.fromkeys(args.device), "scrapped", why=args.why)
    print(f"scrapped: {', '.join(map(str, args.device))}")
    return 0
