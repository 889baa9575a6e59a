"""Give devices their identities: from the ledger into their flash, and to the proof.

A device that comes back gets the identity that it has. With --app the boot loader, the table and the application of a
build are written too, so that a blank device becomes a whole one. Exit code 0 only if all devices are proven, 1 if one
failed, 3 if one could not be tried.

fctry provision factory.toml -p /dev/ttyUSB0
fctry provision factory.toml -p /dev/ttyUSB0 -p /dev/ttyUSB1 --app build --loop
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from math import inf
from pathlib import Path

from click import confirm, prompt

from fctry.cli.arguments import Argument, Arguments, Choice, Option, count, panel, path, text
from fctry.cli.flash import BY_SERIAL, print_failure, print_step
from fctry.cli.ledgers import LEDGER, ledger_of, place_of, station_of
from fctry.cli.options import KEYS, PROJECT, keys_of, settings_of
from fctry.cli.proof_table import print_proof
from fctry.cli.text import escaped
from fctry.provision import Step
from fctry.provision.job import Job
from fctry.provision.line import Line
from fctry.provision.slots import Slot, choose_slots
from fctry.provision.steps import plan_steps
from fctry.serialport import port_at

EXIT_NOT_TRIED = 3
SCANS = ("before", "after")  # it is tried, it is proven
ABOUT = ("order", "part-number", "revision")

PARAMETERS = (
    Argument(
        "spec",
        required=False,
        type=path,
        default=Path("factory.toml"),
        help="factory spec (default: factory.toml)",
    ),
    Option(
        "--port",
        "-p",
        "ports",
        multiple=True,
        metavar="PORT",
        help="serial port, USB location or slot; `all` takes all (default: the settings' slots, $ESPPORT, or the only "
        "board)",
    ),
    Option("--app", type=path, metavar="FOLDER", help="build folder of the application"),
    Option("--tests", type=path, metavar="FOLDER", help="the product's own tests, for pytest"),
    Option(
        "--hooks",
        type=path,
        metavar="FOLDER",
        help="executables that are run around each try: before, passed, failed",
    ),
    Option(
        "--scan",
        type=Choice(SCANS),
        help="scan the label of each device on standard input, before it is tried or after the proof",
    ),
    *BY_SERIAL,
    Option("--force", is_flag=True, help="overwrite another device's data"),
    Option(
        "--rework",
        is_flag=True,
        help="a repaired device gets its identity again, whatever it holds; an exchanged board takes it along",
    ),
    Option("--dry-run", is_flag=True, help="say what would be erased and written, and write nothing"),
    Option("--loop", is_flag=True, help="wait for the next board on each port, until Ctrl-C"),
    Option(
        "--failures",
        type=count,
        default="3",
        show_default=True,
        metavar="N",
        help="stop after so many equal failures in a row; 0: never",
    ),
    Option(
        "--records",
        type=path,
        metavar="FOLDER",
        help="write a record for each try, and of the run, into this folder",
    ),
    *panel(
        "The order",
        Option("--lot", default="", help="production lot, for serial numbers and records"),
        Option("--line", default="", help="production line, likewise"),
        *(Option(f"--{name}", default="", help=f"{name.replace('-', ' ')}, for records") for name in ABOUT),
        Option("--ask", is_flag=True, help="ask for these, and for the operator, once"),
    ),
    *PROJECT,
    *KEYS,
    *LEDGER,
)


def run(args: Arguments) -> int:
    from fctry.cli.live import show

    settings = settings_of(args)
    if args.ask:
        _ask(args)
    said = {name: getattr(args, name.replace("-", "_")) for name in ABOUT}
    job = Job(
        args.spec,
        settings,
        place_of(args, args.spec.parent),
        station_of(args),
        lot=args.lot,
        line=args.line,
        app=args.app,
        tests=args.tests,
        hooks=args.hooks,
        scan=args.scan or "",
        keys=keys_of(args),
        is_forced=args.force,
        is_reworked=args.rework,
        timeout_s=args.timeout,
        flash_baud=args.baud,
        about={name: text for name, text in said.items() if text},
    )
    if args.force and not args.dry_run and sys.stdin.isatty():
        confirm("Data of other devices will be overwritten. Go on?", abort=True)
    bound_s = inf
    if not args.dry_run:  # whatever is wrong with ledger and files is said once, before a port is touched
        with job.opened(lambda: ledger_of(args, args.spec.parent)) as opened:
            bound_s = opened.bound_s
        print(f"each device ends within {bound_s:.0f} s", file=sys.stderr)
    wanted = args.ports or ([os.environ["ESPPORT"]] if "ESPPORT" in os.environ and not settings.slots else [])
    slots = choose_slots(settings.slots, wanted)
    if args.dry_run:
        return take_dry(job, slots, plan_steps(has_app=job.app is not None))
    line = Line(job, slots, is_endless=args.loop, failures_max=args.failures, bound_s=bound_s)
    run = show(line, slots, args.records, is_scanning=bool(job.scan))
    is_complete = bool(run.records) and not run.untried and (args.loop or len(run.records) == len(slots))
    return 1 if run.failed else 0 if is_complete else EXIT_NOT_TRIED


def take_dry(job: Job, slots: Sequence[Slot], steps: Sequence[Step]) -> int:
    """Take steps that write nothing on one slot after the other, and show them. Returns the exit code."""
    codes = []
    with job.opened() as opened:
        for slot in slots:
            print(escaped(f"{slot.name}:"))
            run, record = opened.take(port_at(slot.place), print_step, slot=slot.name, dry_steps=steps)
            if run.proof:
                print_proof(run.proof)
            codes.append(print_failure(record))
    return max(codes)


def _ask(args: Arguments) -> None:
    """Ask for what goes into each record."""
    for name in ("operator", "lot", "line", *ABOUT):
        key = name.replace("-", "_")
        given = getattr(args, key)
        setattr(args, key, prompt(name, default=given, show_default=bool(given), value_proc=text))
