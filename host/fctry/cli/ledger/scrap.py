"""Scrap devices: that is the end of them, and their values are never handed out again."""

from __future__ import annotations

import argparse

from fctry.cli.ledgers import add_ledger, existing_ledger


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("device", nargs="+", type=int, help="its number in the ledger")
    parser.add_argument("--why", required=True, help="for the journal")
    add_ledger(parser)


def run(args: argparse.Namespace) -> int:
    with existing_ledger(args) as ledger:
        ledger.record(dict.fromkeys(args.device), "scrapped", why=args.why)
    print(f"scrapped: {', '.join(map(str, args.device))}")
    return 0
