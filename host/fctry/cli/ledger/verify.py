"""Check that journal and tables are what was written, and that nobody has seen more of them: neither this station nor
FILE, which is a batch, an export, or the witness file of another station.

fctry ledger verify
fctry ledger verify images export.jsonl
"""

from __future__ import annotations

from fctry.cli.arguments import Argument, Arguments, path
from fctry.cli.ledgers import LEDGER_HERE, existing_ledger

PARAMETERS = (
    Argument("files", nargs=-1, type=path, metavar="FILE", help="batch, export or witness file"),
    *LEDGER_HERE,
)


def run(args: Arguments) -> int:
    with existing_ledger(args) as ledger:
        print(f"whole: {ledger.verify(args.files)} lines of the journal")
    return 0
