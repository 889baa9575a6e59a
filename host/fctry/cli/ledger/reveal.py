"""Show the secrets of a device. The journal says who looked, and why."""

from __future__ import annotations

import argparse
import json

from fctry.cli.arguments import path
from fctry.cli.ledgers import add_ledger, existing_ledger
from fctry.identity.ledger.keys import as_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("device", type=int, help="its number in the ledger")
    parser.add_argument("--key", type=path, required=True, metavar="FILE", help="the private age key")
    parser.add_argument("--why", required=True, help="for the journal")
    add_ledger(parser)


def run(args: argparse.Namespace) -> int:
    with existing_ledger(args) as ledger:
        print(json.dumps(as_json(ledger.reveal(args.device, args.key, why=args.why)), ensure_ascii=False))
    return 0
