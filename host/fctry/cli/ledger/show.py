"""Show the devices of the ledger, or one of them."""

from __future__ import annotations

import argparse

from fctry.cli.ledgers import add_ledger, existing_ledger
from fctry.identity.ledger import Device


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("device", nargs="?", type=int, help="its number in the ledger (default: all)")
    parser.add_argument(
        "--only", metavar="STATE", help="reserved, built, flashed, proven, failed or scrapped"
    )
    parser.add_argument("--batch", metavar="NAME", help="those of this batch")
    add_ledger(parser)


def run(args: argparse.Namespace) -> int:
    with existing_ledger(args) as ledger:
        found = (
            ledger.devices(state=args.only, batch=args.batch)
            if args.device is None
            else [ledger.device(args.device)]
        )
        for one in found:
            print(line_of(one))
    return 0


def line_of(device: Device) -> str:
    """A device for people: number, state, product and what everybody may know of it."""
    public = "  ".join(f"{name}={value}" for name, value in device.public.items())
    return f"{device.id:>7}  {device.state:9}  {device.product}  {public}"
