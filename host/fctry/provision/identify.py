"""Which chip this is."""

from __future__ import annotations

from fctry.errors import DeviceError
from fctry.provision.run import Run


def identify(run: Run) -> str:
    """Ask the chip who it is. Raises DeviceError when its flash is too small for the project's partition table."""
    run.identity = found = run.chip.identity()
    size_bytes = run.chip.flash_size_bytes()
    needed_bytes = max(one.offset + one.size_bytes for one in run.table)
    if size_bytes is not None and size_bytes < needed_bytes:
        raise DeviceError(
            f"the flash has {size_bytes:#x} bytes, the partition table needs {needed_bytes:#x}",
            hint="is it the right board? Its module has a smaller flash than the project's",
        )
    return f"{found.name}, MAC {found.mac}"
