"""Show every try on a device, step by step.

fctry record show 17
"""

from __future__ import annotations

from fctry.cli.arguments import Argument, Arguments
from fctry.cli.ledgers import LEDGER_HERE, existing_ledger
from fctry.cli.text import escaped
from fctry.provision.record import Record
from fctry.provision.records import records_of

PARAMETERS = (Argument("device", type=int, help="its number in the ledger"), *LEDGER_HERE)


def run(args: Arguments) -> int:
    with existing_ledger(args) as ledger:
        ledger.device(args.device)  # one that is not there is an error, not an empty list
        records = records_of(ledger, args.device)
    for record in records:
        print_record(record)
    if not records:
        print(f"device {args.device} has not been tried")
    return 0


def print_record(record: Record) -> None:
    """A try, step by step."""
    about = {name: text for name, text in record.about.items() if name not in ("ledger", "spec_sha256")}
    said = ", ".join(f"{name} {text}" for name, text in {**about, **record.chip}.items() if text)
    print(escaped(f"{record.started_at}  {'FAIL' if record.failed else 'PASS'}  {said}"))
    for step in record.steps:
        print(escaped(f"  {step.name:15} {step.did or 'FAILED: ' + step.error}  ({step.seconds:.2f} s)"))
    for case in record.cases:
        print(escaped(f"  {case.outcome:15} {' '.join([case.name, case.error]).rstrip()}"))
        for measured in case.measurements:
            print(escaped(f"  {'':15} {measured}"))
    for one in record.unchecked:
        print(escaped(f"  not checked: {one}"))
