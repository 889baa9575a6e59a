"""The program `fctry` from its first moment on: Ctrl-C ends it too while its modules are still being read."""

from __future__ import annotations

import gc
import os
import signal
import sys

GARBAGE_THRESHOLD = (
    20_000  # objects: what modules make while they are read is none, and looking for it takes a tenth
)
EXIT_INTERRUPTED = 130  # as a shell has it for SIGINT


def main() -> int:
    """Run the command line of this process."""
    signal.signal(signal.SIGINT, _end)
    gc.set_threshold(GARBAGE_THRESHOLD)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started it
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115, PTH123  # to the end; pathlib costs time
    from fctry.cli.main import main as run

    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        return run()
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    finally:
        signal.signal(signal.SIGINT, _end)
        gc.freeze()  # at its end Python looks for garbage in all that there is, which ends with the process anyway


def _end(signal_number: int, frame: object) -> None:
    os._exit(EXIT_INTERRUPTED)
