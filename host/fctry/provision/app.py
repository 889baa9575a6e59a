"""The application of a device that may be blank: boot loader, partition table and application of a build."""

from __future__ import annotations

from fctry.device.permit import Permit
from fctry.errors import DeviceError, FormatError, InputError
from fctry.partitions import binary
from fctry.provision.partition import SECTOR_BYTES
from fctry.provision.run import Run


def write_app(run: Run) -> str:
    """Write each file of the build that the device does not hold yet.

    A device with another partition table has data where the build writes: it is refused, unless the run is forced.
    """
    files, differing = _files(run)
    if differing:
        run.chip.write(Permit([range(at, at + len(data)) for at, data in differing]), differing)
    sectors = sum(-(-len(data) // SECTOR_BYTES) for _, data in differing)
    return f"{len(differing)} of {len(files)} files, {sectors} sectors"


def plan_app(run: Run) -> str:
    """Say what `write_app` would write; nothing is."""
    _, differing = _files(run)
    places = [f"{at:#x} to {at + len(data):#x}" for at, data in differing]
    return f"would erase and write {', '.join(places)}" if places else "would write nothing"


_File = tuple[int, bytes]


def _files(run: Run) -> tuple[list[_File], list[_File]]:
    """The files of the build with their addresses, and those that the device does not hold."""
    assert run.app
    if run.app.chip and run.app.chip != run.identity.name.lower().replace("-", ""):
        raise DeviceError(
            f"the chip is {run.identity.name}, {run.app.file} is a build for {run.app.chip}",
            hint="is it the right board? Else name the build that is for this chip",
        )
    if run.app.table and list(binary.unpack(run.app.table)) != list(run.table):
        raise InputError(
            "the build has another partition table than the project",
            hint="build it again, or name the table that it was built with: --partitions",
            file=run.app.file,
        )
    if not run.is_forced and _is_other_device(run):
        raise DeviceError(
            f"the device has another partition table at {run.table.offset:#x}",
            hint="is it the right device? What lies where the build writes is lost with --force",
        )
    files = [(at, data.ljust(-(-len(data) // 4) * 4, b"\xff")) for at, data in run.app.writes()]
    is_read = not run.chip.is_secure_download
    return files, [(at, data) for at, data in files if not (is_read and run.chip.holds(at, data))]


def _is_other_device(run: Run) -> bool:
    if run.chip.is_secure_download:
        return False  # nobody can know
    ours = binary.pack(run.table)
    if run.chip.holds(run.table.offset, ours):
        return False
    raw = run.chip.read(run.table.offset, binary.TABLE_BYTES)
    if all(old & new == new for old, new in zip(raw, ours, strict=True)):
        return False  # blank, or ours, whose writing was interrupted: programming clears bits
    try:
        return list(binary.unpack(raw)) != list(run.table)
    except FormatError:
        return False  # half of a table is no device's: its writing was interrupted
