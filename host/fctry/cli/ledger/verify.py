"""Check that journal and devices are what was written, and that this station has not seen more of them."""

from __future__ import annotations

import argparse

from fctry.cli.ledgers import add_ledger, existing_ledger


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_ledger(parser)


def run(args: argparse.Namespace) -> int:
    with existing_ledger(args) as ledger:
        print(f"whole: {ledger.verify()} lines of the journal")
    return 0
