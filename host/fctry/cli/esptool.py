"""Run esptool with the fast RFC2217 client. All arguments are esptool's own."""

from __future__ import annotations

import argparse

from fctry.device import flasher


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Everything after `fctry esptool` goes to esptool, `--help` too."""
    parser.prefix_chars = "\0"  # else argparse would take esptool's options for its own
    parser.add_argument("arguments", nargs=argparse.REMAINDER)


def run(args: argparse.Namespace) -> int:
    """Run esptool. Returns its exit code."""
    return flasher.run_esptool(args.arguments)
