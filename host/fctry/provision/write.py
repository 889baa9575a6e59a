"""The image in the device's factory partition."""

from __future__ import annotations

from fctry.errors import DeviceError
from fctry.partitions import binary
from fctry.provision.partition import DevicePartition, open_partition
from fctry.provision.run import Run


def check_table(run: Run) -> str:
    """Compare the device's own partition table with the project's.

    Where Secure Download mode does not let it be read, it must have been written in this run.
    """
    if run.chip.is_secure_download:
        if not run.app and not run.is_forced:
            raise DeviceError(
                "the device is in Secure Download mode: its partition table cannot be read",
                hint="write the application with its table too (--app), or say with --force that it has this table",
            )
        run.unchecked.append(
            "where the device's own table has the partition: Secure Download mode reads nothing"
        )
        run.on_device = DevicePartition(run.chip, run.partition)
        return "not read: Secure Download mode"
    run.on_device = open_partition(run.chip, run.table, run.partition)
    return f"{run.partition.name} at {run.partition.offset:#x}, {run.partition.size_bytes:#x} bytes"


def plan_table(run: Run) -> str:
    """`check_table` on a device that is not written: what the build would bring is not there yet."""
    if (
        run.app
        and not run.chip.is_secure_download
        and not run.chip.holds(run.table.offset, binary.pack(run.table))
    ):
        run.on_device = DevicePartition(run.chip, run.partition)
        return "would be the build's"
    return check_table(run)


def check_vacant(run: Run) -> str:
    """Refuse a partition that holds anything else than this image, such as another device's data."""
    assert run.image
    if run.is_forced:
        return "not asked for"
    if run.chip.is_secure_download:
        raise DeviceError(
            "the device is in Secure Download mode: what it holds cannot be read",
            hint="what it holds is lost with --force",
        )
    if run.on_device.is_blank():
        return "blank"
    if not run.on_device.holds(run.image.data):
        raise DeviceError(
            f"the partition '{run.partition.name}' holds other data already",
            hint="is it the right device? What it holds is lost with --force",
        )
    return "holds this image"


def write(run: Run) -> str:
    """Write what differs."""
    assert run.image
    sectors = run.on_device.write(run.image.data)
    return f"{sectors} of {run.partition.size_bytes // 0x1000} sectors"


def plan_write(run: Run) -> str:
    """Say what `write` would erase and write; nothing is."""
    assert run.image
    places = [f"{address:#x}" for address, _ in run.on_device.differing(run.image.data)]
    return f"would erase and write the sectors at {', '.join(places)}" if places else "would write nothing"


def verify(run: Run) -> str:
    """Compare the whole partition with the image: the chip itself reads it."""
    assert run.image
    if run.chip.is_secure_download:
        run.unchecked.append("what is in the flash: Secure Download mode reads nothing")
        return "not read: the firmware's proof must do"
    differing = run.on_device.differing(run.image.data)
    if differing:
        places = ", ".join(f"{address:#x}" for address, _ in differing)
        raise DeviceError(
            f"the partition '{run.partition.name}' does not hold the image: the sectors at {places} differ",
            hint="if it has just been written, its flash loses bits: reject the device; else it has another image",
        )
    return "MD5 as in the image"
