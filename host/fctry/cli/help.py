"""Show the help of a command, as its --help does.

fctry help layout check
"""

from __future__ import annotations

from fctry.cli.arguments import Argument, Arguments

PARAMETERS = (Argument("command", nargs=-1, help="such as `layout check` (default: all commands)"),)


def run(args: Arguments) -> int:
    from fctry.cli.main import main

    return main([*args.command, "--help"])
