"""Show what happened: to one device, or all of the journal."""

from __future__ import annotations

import argparse
import json

from fctry.cli.ledgers import add_ledger, existing_ledger


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("device", nargs="?", type=int, help="its number in the ledger (default: all)")
    add_ledger(parser)


def run(args: argparse.Namespace) -> int:
    with existing_ledger(args) as ledger:
        if args.device is not None:
            ledger.device(args.device)  # one that is not there is an error, not an empty history
        for entry in ledger.history(args.device):
            print(f"{entry.seq:>7}  {entry.at}  {entry.event}  {json.dumps(entry.data, ensure_ascii=False)}")
    return 0
