"""Compare what a device holds with an image, and what its firmware reads; nothing is written.

IMAGE is an image (`fctry image build`) or a CSV to make one of. These are the steps of `fctry flash` without those that
write. Exit code 0 only if flash and firmware agree with the image; 1 if they do not, 3 if it could not be tried.

fctry verify device.bin --port /dev/ttyUSB0
"""

from __future__ import annotations

from fctry.cli.arguments import Arguments
from fctry.cli.flash import DEVICE, EXIT_NOT_TRIED, take
from fctry.provision import verify_steps

__all__ = ["EXIT_NOT_TRIED", "PARAMETERS", "run"]
PARAMETERS = DEVICE


def run(args: Arguments) -> int:
    return take(args, verify_steps())
