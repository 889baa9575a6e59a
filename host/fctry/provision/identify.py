"""Which chip this is."""

from __future__ import annotations

from fctry.provision.run import Run


def identify(run: Run) -> str:
    """Ask the chip who it is."""
    run.identity = found = run.chip.identity()
    return f"{found.name}, MAC {found.mac}"
