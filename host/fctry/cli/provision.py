"""Give a device its identity: reserve it in the ledger, write it, start the firmware, and let it prove what it reads.

A device that comes back gets the identity that it has. With --app the boot loader, the table and the application of a
build are written too, so that a blank device becomes a whole one. Exit code 0 only if the device is proven.

fctry provision factory.toml -p /dev/ttyUSB0
fctry provision factory.toml -p /dev/ttyUSB0 --app build
"""

from __future__ import annotations

import os
from datetime import datetime, timezone
from pathlib import Path

from fctry.cli.arguments import Argument, Arguments, Option, baud, path, seconds
from fctry.cli.flash import print_last, print_step
from fctry.cli.ledgers import LEDGER, ledger_of
from fctry.cli.options import KEYS, PROJECT, keys_of, project_of
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

PARAMETERS = (
    Argument("spec", required=False, type=path, default=Path("factory.toml"), metavar="SPEC"),
    Option("--port", "-p", help="serial port (default: $ESPPORT, or the only board)"),
    Option("--app", type=path, metavar="DIR", help="build folder of the application"),
    Option("--lot", default="", help="production lot, for serial numbers and the journal"),
    Option("--line", default="", help="production line, likewise"),
    Option("--baud", type=baud, default=str(flasher.FLASH_BAUD), show_default=True, help="for flashing"),
    Option("--timeout", type=seconds, default=REPORT_TIMEOUT_S, help="seconds to wait for the report"),
    Option("--force", is_flag=True, help="overwrite another device's data"),
    *PROJECT,
    *KEYS,
    *LEDGER,
)


def run(args: Arguments) -> int:
    project, spec = project_of(args), read_spec(args.spec)
    partition = project.factory_partition
    room = Room(partition.size_bytes, partition.readonly, 1, partition.name, project.sdkconfig)
    require(spec, room)
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
