"""Show the devices of the ledger, or one of them.

fctry ledger show --only proven
"""

from __future__ import annotations

import sys

from fctry.cli.arguments import Argument, Arguments, Choice, Option
from fctry.cli.ledgers import BATCH, LEDGER_HERE, batch_of, existing_ledger
from fctry.cli.text import escaped, fitted
from fctry.identity.ledger import Device
from fctry.identity.ledger.tables import STATES

PARAMETERS = (
    Argument("device", required=False, type=int, help="its number in the ledger (default: all)"),
    Option("--only", type=Choice(STATES), help="those that are in this state"),
    BATCH,
    *LEDGER_HERE,
)


def run(args: Arguments) -> int:
    with existing_ledger(args) as ledger:
        found = (
            ledger.devices(state=args.only, batch=batch_of(args, ledger))
            if args.device is None
            else [ledger.device(args.device)]
        )
        is_any = False
        for one in found:
            print(fitted(line_of(one)))
            is_any = True
    if not is_any:
        print("no device", file=sys.stderr)
    return 0


def line_of(device: Device) -> str:
    """A device for people: number, state, product and what everybody may know of it."""
    chip = {f"chip.{name}": value for name, value in device.chip.items()}
    told = "  ".join(f"{name}={value}" for name, value in {**device.public, **chip}.items())
    return f"{device.id:>7}  {device.state:9}  " + escaped(f"{device.product}  {told}")
