"""Export all devices as CSV or JSON lines, in UTF-8. Secrets are left out, unless the private key is given: that is
noted. Each line, in its last column as CSV, is also a witness of how far the ledger had come, for the day when a
backup is put back.

fctry ledger export --format jsonl > export.jsonl
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterator
from functools import partial
from io import TextIOWrapper
from itertools import islice

from fctry.cli.arguments import Arguments, Choice, Option, path
from fctry.cli.ledgers import BATCH, LEDGER_HERE, batch_of, existing_ledger
from fctry.errors import LedgerError
from fctry.identity.ledger import Device
from fctry.identity.ledger.keys import as_json
from fctry.identity.ledger.rows import PAGE_ROWS
from fctry.identity.ledger.tables import CHIP_IDS
from fctry.identity.ledger.witness import WITNESS
from fctry.identity.manifest import columns

FIXED = ("id", "product", "state", "batch", "number", "image_sha256", "spec_sha256", "tool")


PARAMETERS = (
    Option(
        "--format", type=Choice(("csv", "jsonl")), default="csv", show_default=True, help="CSV, or JSON lines"
    ),
    BATCH,
    Option("--private-key", type=path, metavar="FILE", help="with secrets, which this age key reads"),
    *LEDGER_HERE,
)


def run(args: Arguments) -> int:
    if args.private_key and args.format == "csv":
        raise LedgerError("secrets are exported as JSON lines only", hint="add --format jsonl")
    if isinstance(sys.stdout, TextIOWrapper):  # data, and not text for this terminal: it has all characters
        sys.stdout.reconfigure(encoding="utf-8", errors="strict", newline="")
    with existing_ledger(args) as ledger:
        witness = ledger.witness()
        # what was reserved since is not in it: who has the export knows of each device that it names
        found = partial(
            ledger.devices, batch=batch_of(args, ledger), before=witness["counters"].get("device", 1)
        )
        if args.format == "csv":
            _write_csv(found, json.dumps(witness))
            return 0
        devices = found()
        while page := list(islice(devices, PAGE_ROWS)):
            lines = [
                {name: getattr(one, name) for name in FIXED}
                | {"chip": dict(one.chip), "public": dict(one.public), "witness": witness}
                for one in page
            ]
            if args.private_key:
                revealed = ledger.reveal_each([one.id for one in page], args.private_key, why="export")
                lines = [
                    line | {"secrets": as_json(held)} for line, held in zip(lines, revealed, strict=True)
                ]
            for line in lines:
                print(json.dumps(line, ensure_ascii=False))
    return 0


def _write_csv(found: Callable[[], Iterator[Device]], witness: str) -> None:
    """A column for each public value, called `public.NAME` where another column has that name."""
    names = sorted({name for one in found() for name in one.public})
    chips = [f"chip.{name}" for name in CHIP_IDS]
    writer = csv.writer(sys.stdout)
    writer.writerow((*FIXED, *chips, *columns(names, (*FIXED, *chips, WITNESS)), WITNESS))
    for one in found():
        row = [getattr(one, name) for name in FIXED]
        row += [one.chip.get(name, "") for name in CHIP_IDS]
        writer.writerow((*row, *(one.public.get(name, "") for name in names), witness))
