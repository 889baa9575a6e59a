"""The program `fctry` from its first moment on: Ctrl-C ends it too while its modules are still being read."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

EXIT_INTERRUPTED = 130  # as a shell has it for SIGINT


def main() -> int:
    """Run the command line of this process."""
    signal.signal(signal.SIGINT, _end)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started it
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115  # to the end
    from fctry.cli.main import main as run

    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        return run()
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    finally:
        signal.signal(signal.SIGINT, _end)


def _end(signal_number: int, frame: object) -> None:
    os._exit(EXIT_INTERRUPTED)
