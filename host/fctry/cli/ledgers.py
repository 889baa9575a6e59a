"""The ledger of a command: where it is, and who works with it."""

from __future__ import annotations

import getpass
import os
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fctry.cli.arguments import Arguments, Option, panel, path
from fctry.errors import InputError
from fctry.identity.station import Station, state_folder

if TYPE_CHECKING:
    from fctry.identity.ledger import Ledger

FILE = "ledger.db"
NONE = "none"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may have no name for it
        return ""


def _ledger(place: str) -> tuple[Option, ...]:
    return panel(
        "The ledger",
        Option(
            "--ledger",
            metavar="URL",
            help=f"file, or postgresql://… (default: $FCTRY_LEDGER, or {FILE} {place})",
        ),
        Option("--station", default=platform.node, help="name of this station (default: the host's)"),
        Option("--operator", default=_user, help="who works here (default: the user)"),
        Option(
            "--state",
            type=path,
            default=state_folder,
            metavar="FOLDER",
            help="keys and witness (default: $FCTRY_STATE, or the user's state folder)",
        ),
    )


LEDGER, LEDGER_HERE = _ledger("beside the spec"), _ledger("in this folder")


BATCH = Option("--batch", metavar="FOLDER|NAME", help="those of this batch: its folder, ZIP file or name")


def batch_of(args: Arguments, ledger: Ledger) -> str | None:
    """The name of the batch that is asked for, if one is. Raises InputError for one that the ledger has not."""
    if not args.batch:
        return None
    from fctry.identity.batch_zip import read_batch

    place = Path(args.batch)
    name = str(read_batch(place)["batch"]) if place.exists() else str(args.batch)
    if not next(ledger.devices(batch=name), None):
        hint = "give the folder or ZIP file that `fctry batch` has made, or what its batch.json says"
        raise InputError(f"the ledger has no device of the batch {args.batch!r}", hint=hint)
    return name


def station_of(args: Arguments) -> Station:
    """Who works with the ledger, as the options say."""
    return Station(args.station, args.operator, args.state)


def ledger_of(args: Arguments, folder: Path) -> Ledger:
    """The ledger of the options, or that in the spec's folder; made where there is none, which is said on stderr."""
    from fctry.identity.ledger import create_ledger, open_ledger

    place, station = place_of(args, folder), station_of(args)
    if place != str(folder / FILE) or Path(place).exists():  # a slip in a name shall not make a second ledger
        return open_ledger(place, station)
    made, private_key = create_ledger(place, station)
    print(f"made the ledger {place}", file=sys.stderr)
    print(
        f"secrets are sealed; the private key that reads them is {private_key}\n"
        "move it to a safe place, away from this station: the station needs it for nothing",
        file=sys.stderr,
    )
    return made


def existing_ledger(args: Arguments) -> Ledger:
    """The ledger of the options, or that in this folder. Raises LedgerError where there is none."""
    from fctry.identity.ledger import open_ledger

    return open_ledger(place_of(args), station_of(args))


def place_of(args: Arguments, folder: Path = Path()) -> str:
    """Where the ledger is that the options name, or the environment; else it is in the folder."""
    return str(args.ledger or os.environ.get("FCTRY_LEDGER") or folder / FILE)
