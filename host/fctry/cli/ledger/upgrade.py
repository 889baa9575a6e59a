"""Bring the ledger's schema to what this version works with."""

from __future__ import annotations

import argparse

from fctry.cli.ledgers import add_ledger, place_of
from fctry.identity.ledger import upgrade_ledger


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_ledger(parser)


def run(args: argparse.Namespace) -> int:
    upgrade_ledger(place_of(args))
    print("the ledger is up to date")
    return 0
