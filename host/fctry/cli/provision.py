"""Give a device its identity: reserve it in the ledger, write it, start the firmware, and let it prove what it reads.

A device that comes back gets the identity that it has. With --app the boot loader, the table and the application of a
build are written too, so that a blank device becomes a whole one. Exit code 0 only if the device is proven.

  fctry provision factory.toml -p /dev/ttyUSB0
  fctry provision factory.toml -p /dev/ttyUSB0 --app build
"""

from __future__ import annotations

import argparse
import os
from datetime import datetime, timezone
from pathlib import Path

from fctry.cli.arguments import baud, path, seconds
from fctry.cli.flash import print_last, print_step
from fctry.cli.ledgers import add_ledger, ledger_of
from fctry.cli.options import add_keys, add_project, keys_of, project_of
from fctry.cli.proof_table import print_proof
from fctry.cli.text import escaped
from fctry.device import flasher
from fctry.identity.draft import Context
from fctry.identity.images import ImageMaker
from fctry.identity.spec_check import require
from fctry.identity.spec_file import read_spec
from fctry.identity.spec_rules import Room
from fctry.partitions.flasher_args import read_flasher_args
from fctry.provision import REPORT_TIMEOUT_S, Identities, Run, perform, provision_steps
from fctry.serialport import only_port


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("spec", type=path, nargs="?", default=Path("factory.toml"), metavar="SPEC")
    parser.add_argument("--port", "-p", help="serial port (default: $ESPPORT, or the only board)")
    parser.add_argument("--app", type=path, metavar="DIR", help="build folder of the application")
    parser.add_argument("--lot", default="", help="production lot, for serial numbers and the journal")
    parser.add_argument("--line", default="", help="production line, likewise")
    parser.add_argument(
        "--baud", type=baud, default=flasher.FLASH_BAUD, help="for flashing (default: %(default)s)"
    )
    parser.add_argument(
        "--timeout", type=seconds, default=REPORT_TIMEOUT_S, help="seconds to wait for the report"
    )
    parser.add_argument("--force", action="store_true", help="overwrite another device's data")
    add_project(parser)
    add_keys(parser)
    add_ledger(parser)


def run(args: argparse.Namespace) -> int:
    project, spec = project_of(args), read_spec(args.spec)
    partition = project.factory_partition
    require(spec, Room(partition.size_bytes, partition.readonly, 1))
    app = read_flasher_args(args.app) if args.app else None
    maker = ImageMaker(spec, partition.size_bytes, read_only=partition.readonly)
    context = Context(datetime.now(timezone.utc), args.lot, args.line)
    port = args.port or os.environ.get("ESPPORT") or only_port()
    heard: list[str] = []
    with (
        ledger_of(args, args.spec.parent) as ledger,
        flasher.connect(port, chip=args.chip or "auto", flash_baud=args.baud) as chip,
    ):
        identities = Identities(ledger, spec, maker, context, keys_of(args))
        one = Run(chip, project.table, partition, identities=identities, app=app, is_forced=args.force)
        one.timeout_s, one.on_line = args.timeout, heard.append
        record = perform(one, provision_steps(has_app=app is not None), print_step)
    if one.proof:
        print_proof(one.proof)
    if record.error:
        print_last(heard[-10:])
        raise record.error
    named = ", ".join(f"{name} {text}" for name, text in one.public.items())
    print(escaped(f"PASS: device {one.device}, {named}"))
    return 0
