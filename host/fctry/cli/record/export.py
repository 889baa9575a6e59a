"""Write the records of a ledger into a folder: JSON and OpenHTF's JSON for each try, JSON lines, JUnit, and a page.

fctry record export -o records
"""

from __future__ import annotations

from fctry.cli.arguments import Arguments, Option, path
from fctry.cli.ledgers import LEDGER_HERE, existing_ledger
from fctry.cli.text import counted
from fctry.errors import LedgerError
from fctry.provision.record_files import RecordFolder
from fctry.provision.records import records_of

PARAMETERS = (
    Option("-o", "--output", type=path, required=True, metavar="FOLDER", help="where they go"),
    Option("--lot", default="", help="those of this lot only"),
    *LEDGER_HERE,
)


def run(args: Arguments) -> int:
    with existing_ledger(args) as ledger:
        records = [one for one in records_of(ledger) if not args.lot or one.about.get("lot") == args.lot]
    if args.lot and not records:
        raise LedgerError(f"no record of the lot {args.lot!r}", hint="without --lot all records are exported")
    folder = RecordFolder(args.output)
    folder.write_all(records)
    print(f"{args.output}: {counted(len(records), 'record')}")
    return 0
