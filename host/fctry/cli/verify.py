"""Compare what a device holds with an image or with the ledger, and what its firmware reads; nothing is written.

IMAGE is an image (`fctry image build`) or a CSV to make one of; or a factory spec, and then the device is looked for in
the ledger. Exit code 0 only if flash and firmware agree with it; 1 if they do not, 3 if it could not be tried.

fctry verify device.bin --port /dev/ttyUSB0
fctry verify factory.toml --port /dev/ttyUSB0
"""

from __future__ import annotations

import os

from fctry.cli.arguments import Argument, Arguments, path
from fctry.cli.flash import DEVICE, EXIT_NOT_TRIED, IMAGE, take
from fctry.cli.ledgers import LEDGER, place_of, station_of
from fctry.cli.options import keys_of, settings_of
from fctry.cli.provision import take_dry
from fctry.provision import verify_steps
from fctry.provision.job import Job
from fctry.provision.slots import choose_slots
from fctry.provision.steps import recognise_steps

__all__ = ["EXIT_NOT_TRIED", "PARAMETERS", "run"]
PARAMETERS = (
    Argument("image", type=path, help=f"{IMAGE}; or a factory spec ending in .toml"),
    *DEVICE,
    *LEDGER,
)


def run(args: Arguments) -> int:
    if args.image.suffix.lower() != ".toml":
        return take(args, verify_steps())
    settings = settings_of(args)
    job = Job(
        args.image,
        settings,
        place_of(args, args.image.parent),
        station_of(args),
        keys=keys_of(args),
        timeout_s=args.timeout,
        flash_baud=args.baud,
    )
    port = args.port or os.environ.get("ESPPORT")
    return take_dry(job, choose_slots(settings.slots, [port] if port else []), recognise_steps())
