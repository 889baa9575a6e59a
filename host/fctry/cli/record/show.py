"""Show every try on a device, step by step.

fctry record show 17
"""

from __future__ import annotations

from fctry.cli.arguments import Argument, Arguments
from fctry.cli.ledgers import LEDGER, existing_ledger
from fctry.cli.text import escaped
from fctry.provision.records import records_of

PARAMETERS = (Argument("device", type=int, help="its number in the ledger"), *LEDGER)


def run(args: Arguments) -> int:
    with existing_ledger(args) as ledger:
        ledger.device(args.device)  # one that is not there is an error, not an empty list
        records = records_of(ledger, args.device)
    for record in records:
        said = ", ".join(f"{name} {text}" for name, text in {**record.about, **record.chip}.items())
        print(escaped(f"{record.started_at}  {'FAIL' if record.failed else 'PASS'}  {said}"))
        for step in record.steps:
            print(escaped(f"  {step.name:15} {step.did or 'FAILED: ' + step.error}  ({step.seconds:.2f} s)"))
        for one in record.unchecked:
            print(escaped(f"  not checked: {one}"))
    if not records:
        print(f"device {args.device} has not been tried")
    return 0
