"""Run esptool with the fast RFC2217 client. All arguments are esptool's own.

fctry esptool --port rfc2217://127.0.0.1:4000 flash-id
"""

from __future__ import annotations

from fctry.cli.arguments import UNPROCESSED, Argument, Arguments
from fctry.device import flasher

PARAMETERS = (Argument("arguments", nargs=-1, type=UNPROCESSED),)
PARSING = {
    "add_help_option": False,
    "context_settings": {"ignore_unknown_options": True, "allow_interspersed_args": False},
}
"""Everything after `fctry esptool` goes to esptool, `--help` too."""


def run(args: Arguments) -> int:
    """Run esptool. Returns its exit code."""
    return flasher.run_esptool(args.arguments)
