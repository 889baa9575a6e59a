"""Make a ledger. Without a recipient a key pair is made for its secrets; where the private key lies is said once."""

from __future__ import annotations

import argparse

from fctry.cli.ledgers import add_ledger, place_of, station_of
from fctry.identity.ledger import create_ledger


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--secrets",
        choices=("sealed", "forgotten"),
        default="sealed",
        help="what becomes of secrets: only the office can read them, or nobody",
    )
    parser.add_argument(
        "--recipient", action="append", default=[], metavar="AGE1…", help="an age key of the office"
    )
    add_ledger(parser)


def run(args: argparse.Namespace) -> int:
    place = place_of(args)
    ledger, private_key = create_ledger(
        place, station_of(args), secrets=args.secrets, recipients=args.recipient
    )
    ledger.close()
    print(f"made the ledger {place}; secrets are {args.secrets}")
    if private_key:
        print(f"the private key that reads them is {private_key}: move it away from this station")
    return 0
