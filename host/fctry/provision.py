"""One device: its image written, its firmware started, and what the firmware reads compared with what was written."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fctry.device.console import Console
from fctry.device.deadline import Deadline
from fctry.device.flasher import Chip
from fctry.device.proof import Proof, compare, unproven
from fctry.errors import CapacityError, DeviceError, FormatError
from fctry.nvs import Item
from fctry.partitions import binary
from fctry.partitions.keywords import subtype_name, type_name
from fctry.partitions.table import Partition, PartitionTable
from fctry.project import check_partition

REPORT_TIMEOUT_S = 15.0


def check_fits(image: bytes, partition: Partition) -> None:
    """Raise CapacityError when the image is larger than the partition."""
    if len(image) > partition.size_bytes:
        raise CapacityError(
            f"the image has 0x{len(image):x} bytes, the partition '{partition.name}' 0x{partition.size_bytes:x}",
            hint=f"build it for this partition: fctry image build … --size 0x{partition.size_bytes:x}",
        )


def check_table(chip: Chip, table: PartitionTable, partition: Partition) -> None:
    """Raise DeviceError when the device's own partition table puts the partition elsewhere than `table` does.

    An image at a wrong offset destroys whatever lies there; the device's table decides where that is.
    """
    try:
        found = binary.unpack(chip.read(table.offset, binary.TABLE_BYTES))
    except FormatError as error:
        raise DeviceError(
            f"the device has no valid partition table at 0x{table.offset:x}: {error.message}",
            hint="flash the application with its partition table first (`idf.py flash`)",
        ) from error
    on_device = next((entry for entry in found if entry.name == partition.name), None)
    if on_device != partition:
        raise DeviceError(
            f"the partition '{partition.name}' is not the same on the device: {_differences(partition, on_device)}",
            hint="flash this layout's table first (`idf.py flash`), or give the device's layout (--partitions)",
        )


def check_vacant(chip: Chip, image: bytes, table: PartitionTable, partition: Partition) -> None:
    """Raise DeviceError when the partition holds anything else than this image, such as another device's data."""
    check_table(chip, table, partition)
    if not chip.is_erased(partition.offset, partition.size_bytes):
        held = chip.read(partition.offset, partition.size_bytes)
        if held != image.ljust(partition.size_bytes, b"\xff"):
            raise DeviceError(
                f"the partition '{partition.name}' holds other data already",
                hint="is it the right device? What it holds is lost with --force",
            )


def write_image(chip: Chip, image: bytes, table: PartitionTable, partition: Partition) -> None:
    """Write an image into a partition of a device with this table; what the image does not cover of it is erased.

    Raises InputError, CapacityError or DeviceError before anything is written, DeviceError when writing fails.
    """
    check_partition(table, partition)
    check_fits(image, partition)
    check_table(chip, table, partition)
    chip.write([(partition.offset, image.ljust(partition.size_bytes, b"\xff"))])


def provision(
    chip: Chip,
    image: bytes,
    items: Sequence[Item],
    table: PartitionTable,
    partition: Partition,
    *,
    is_forced: bool = True,
    timeout_s: float = REPORT_TIMEOUT_S,
    on_line: Callable[[str], None] | None = None,
) -> Proof:
    """Write one device's image, start its firmware and compare what it reads with `items`, the image's content.

    Unless `is_forced`, data of another device stay.

    From the start of the firmware to the last proof `timeout_s` seconds may pass. `on_line` gets every console line.
    Raises InputError or DeviceError before anything is written, DeviceError, ReportError or PortError afterwards.
    """
    if not is_forced:
        check_vacant(chip, image, table, partition)
    write_image(chip, image, table, partition)
    chip.reset()
    return read_proof(Console(chip, on_line), items, partition, Deadline.after(timeout_s))


def read_proof(console: Console, items: Sequence[Item], partition: Partition, deadline: Deadline) -> Proof:
    """Compare `items` with what firmware that has just been started reports and proves.

    Raises DeviceError, ReportError or PortError.
    """
    report = console.report(partition.name, deadline)
    return compare(items, report, console.prove(unproven(items, report), deadline))


def _differences(layout: Partition, device: Partition | None) -> str:
    if device is None:
        return "it is absent on the device"
    sides = [_properties(layout), _properties(device)]
    return ", ".join(
        f"{name} {there} on the device, {here} in the layout"
        for name, here, there in ((name, *(side[name] for side in sides)) for name in sides[0])
        if here != there
    )


def _properties(partition: Partition) -> dict[str, str]:
    flags = [name for name in ("encrypted", "readonly") if getattr(partition, name)]
    subtype = subtype_name(partition.type, partition.subtype)
    return {
        "type": type_name(partition.type),
        "subtype": f"0x{partition.subtype:x}" if subtype.isdecimal() else subtype,
        "offset": f"0x{partition.offset:x}",
        "size": f"0x{partition.size_bytes:x}",
        "flags": " ".join(flags) or "none",
    }
