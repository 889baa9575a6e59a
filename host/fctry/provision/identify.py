"""Which chip this is."""

from __future__ import annotations

from fctry.errors import DeviceError
from fctry.provision.run import Run


def identify(run: Run) -> str:
    """Ask the chip who it is. Raises DeviceError when the project is for another, or for a larger flash."""
    run.identity = found = run.chip.identity()
    is_ = found.name.lower().replace("-", "")
    if run.target and is_ != run.target:
        raise DeviceError(
            f"the chip is {found.name}, the project's sdkconfig is for {run.target}",
            hint=f"is it the right board? If the project is built for this chip too, say so: --chip {is_}",
        )
    size_bytes = run.chip.flash_size_bytes()
    needed_bytes = max(one.offset + one.size_bytes for one in run.table)
    if size_bytes is not None and size_bytes < needed_bytes:
        raise DeviceError(
            f"the flash has {size_bytes:#x} bytes, the partition table needs {needed_bytes:#x}",
            hint="is it the right board? Its module has a smaller flash than the project's",
        )
    return f"{found.name}, MAC {found.mac}"
