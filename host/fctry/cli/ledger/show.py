"""Show the devices of the ledger, or one of them.

fctry ledger show --only proven
"""

from __future__ import annotations

from fctry.cli.arguments import Argument, Arguments, Option
from fctry.cli.ledgers import LEDGER, existing_ledger
from fctry.cli.text import fitted
from fctry.identity.ledger import Device

PARAMETERS = (
    Argument("device", required=False, type=int, help="its number in the ledger (default: all)"),
    Option("--only", metavar="STATE", help="reserved, built, flashed, proven, failed or scrapped"),
    Option("--batch", metavar="NAME", help="those of this batch"),
    *LEDGER,
)


def run(args: Arguments) -> int:
    with existing_ledger(args) as ledger:
        found = (
            ledger.devices(state=args.only, batch=args.batch)
            if args.device is None
            else [ledger.device(args.device)]
        )
        for one in found:
            print(fitted(line_of(one)))
    return 0


def line_of(device: Device) -> str:
    """A device for people: number, state, product and what everybody may know of it."""
    public = "  ".join(f"{name}={value}" for name, value in device.public.items())
    return f"{device.id:>7}  {device.state:9}  {device.product}  {public}"
