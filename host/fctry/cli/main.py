"""Entry point: finds the sub-command, imports only that one, and turns errors into text and an exit code."""

from __future__ import annotations

import argparse
import errno
import importlib
import io
import os
import sys
from collections.abc import Sequence

from fctry.cli.text import escaped
from fctry.errors import FctryError

EXIT_DONE, EXIT_FAILED, EXIT_USAGE = 0, 1, 2
ERRORS_SHOWN_MAX = 20
OUTPUT_ERRORS = (errno.EPIPE, errno.ENOSPC, errno.EIO, errno.EFBIG)
EXIT_INTERRUPTED = 130  # as a shell has it for Ctrl-C


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version  # costs more than most commands

        print(f"fctry {version('fctry')}")
        parser.exit()


def parser_for(argv: Sequence[str]) -> argparse.ArgumentParser:
    """The parser for these arguments: with the options of the one command that they name."""
    parser = argparse.ArgumentParser(prog="fctry", description="Unique factory data for ESP32 devices.")
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    _add_commands(parser, "fctry.cli", argv)
    return parser


def _add_commands(parser: argparse.ArgumentParser, package: str, argv: Sequence[str]) -> None:
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, text in importlib.import_module(package).COMMANDS.items():
        if name not in argv[:1]:
            commands.add_parser(name, help=text)
            continue
        module = importlib.import_module(f"{package}.{name.replace('-', '_')}")
        style = argparse.RawDescriptionHelpFormatter
        sub = commands.add_parser(name, help=text, description=module.__doc__, formatter_class=style)
        if hasattr(module, "COMMANDS"):
            _add_commands(sub, module.__name__, argv[1:])
        else:
            module.add_arguments(sub)
            sub.set_defaults(run=module.run)


def main(argv: Sequence[str] | None = None) -> int:
    """Run `fctry ARGV…`. Returns 0 (done), 1 (failed) or 2 (usage)."""
    argv = sys.argv[1:] if argv is None else list(argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal that does not know a character gets a `?`
    try:
        args = parser_for(argv).parse_args(argv)
        code = int(args.run(args))
        sys.stdout.flush()
        return code
    except FctryError as error:
        errors = (error, *error.also)
        for one in errors[:ERRORS_SHOWN_MAX]:
            print(f"error: {escaped(str(one))}", file=sys.stderr)
            if one.hint:
                print(f"hint: {escaped(one.hint)}", file=sys.stderr)
        if len(errors) > ERRORS_SHOWN_MAX:
            print(f"and {len(errors) - ERRORS_SHOWN_MAX} more errors", file=sys.stderr)
        return EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except OSError as error:
        if error.errno not in OUTPUT_ERRORS:
            raise
        if not isinstance(error, BrokenPipeError):  # else the reader has seen enough: `fctry … | head`
            print(f"error: cannot write the output: {error.strerror}", file=sys.stderr)
        # so that the flush at exit does not fail too
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED


if __name__ == "__main__":
    sys.exit(main())
