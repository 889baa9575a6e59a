"""One device: its image written, its firmware started, and what the firmware reads compared with what was written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from fctry.device.flasher import Chip
from fctry.device.report import Event, Report, ReportCollector, Value, parse_line
from fctry.errors import CapacityError, DeviceError, FormatError
from fctry.nvs import Item
from fctry.partitions import binary
from fctry.partitions.table import TABLE_OFFSET, Partition, PartitionTable

REPORT_TIMEOUT_S = 15.0


@dataclass(frozen=True)
class Comparison:
    """One key: what was written and what the firmware said, None where it did not write or say anything."""

    namespace: str
    key: str
    type: str
    written: Value | None
    said: Value | None

    @property
    def is_equal(self) -> bool:
        """Whether the firmware said exactly what was written, in the same type."""
        return (
            self.written is not None and type(self.written) is type(self.said) and self.written == self.said
        )


@dataclass(frozen=True)
class Proof:
    """The comparison of all keys, and the errors that the firmware reported."""

    comparisons: tuple[Comparison, ...]
    errors: tuple[Event, ...]

    @property
    def is_proven(self) -> bool:
        """Whether every key is equal and the firmware reported no error."""
        return bool(self.comparisons) and not self.errors and all(row.is_equal for row in self.comparisons)


def compare(items: Iterable[Item], report: Report) -> Proof:
    """Compare what was written with what the firmware reported, in the order of writing, then what it said besides."""
    said = {(item.namespace, item.key, item.type): item.value for item in report.items}
    rows = [
        Comparison(
            item.namespace,
            item.key,
            item.type.value,
            item.value,
            said.pop((item.namespace, item.key, item.type.value), None),
        )
        for item in items
    ]
    rows += [Comparison(namespace, key, kind, None, value) for (namespace, key, kind), value in said.items()]
    return Proof(tuple(rows), report.errors)


def check_fits(image: bytes, partition: Partition) -> None:
    """Raise CapacityError when the image is larger than the partition."""
    if len(image) > partition.size_bytes:
        raise CapacityError(
            f"the image has 0x{len(image):x} bytes, the partition '{partition.name}' 0x{partition.size_bytes:x}",
            hint=f"build it for this partition: fctry image build … --size 0x{partition.size_bytes:x}",
            expected=partition.size_bytes,
            found=len(image),
        )


def check_table(chip: Chip, table: PartitionTable, partition: Partition) -> None:
    """Raise DeviceError when the device's own partition table puts the partition elsewhere than `table` does.

    An image at a wrong offset destroys whatever lies there; the device's table decides where that is.
    """
    try:
        found = binary.unpack(chip.read(TABLE_OFFSET, binary.TABLE_BYTES))
    except FormatError as error:
        raise DeviceError(
            f"the device has no valid partition table at 0x{TABLE_OFFSET:x}: {error.message}",
            hint="flash the application with its partition table first (`idf.py flash`)",
        ) from error
    on_device = next((entry for entry in found if entry.name == partition.name), None)
    if on_device != partition:
        raise DeviceError(
            f"the partition '{partition.name}' is {_place(partition)} in the layout, "
            f"{_place(on_device)} on the device",
            hint="flash this layout's table first (`idf.py flash`), or give the device's layout (--partitions)",
            expected=partition,
            found=on_device,
        )


def write_image(chip: Chip, image: bytes, partition: Partition) -> None:
    """Write the image into the partition; what the image does not cover of it is erased.

    Raises CapacityError before anything is written, DeviceError when writing fails.
    """
    check_fits(image, partition)
    chip.write([(partition.offset, image.ljust(partition.size_bytes, b"\xff"))])


def read_report(
    chip: Chip,
    partition_name: str,
    *,
    timeout_s: float = REPORT_TIMEOUT_S,
    on_line: Callable[[str], None] | None = None,
) -> Report:
    """Listen until the firmware's report on the partition is complete. `on_line` gets every console line.

    Raises FormatError for a damaged report line, DeviceError when there is no whole report in time.
    """
    collector = ReportCollector(partition_name)
    for line in chip.lines(timeout_s):
        if on_line is not None:
            on_line(line.decode(errors="replace"))
        event = parse_line(line)
        report = collector.feed(event) if event is not None else None
        if report is not None:
            return report
    raise DeviceError(
        f"the firmware did not report its partition '{partition_name}' within {timeout_s:g} s",
        hint="look at the console (`python -m serial.tools.miniterm PORT 115200`): does it boot, and is it "
        "firmware with the factory_data component?",
    )


def provision(
    chip: Chip,
    image: bytes,
    items: Sequence[Item],
    table: PartitionTable,
    partition: Partition,
    *,
    timeout_s: float = REPORT_TIMEOUT_S,
    on_line: Callable[[str], None] | None = None,
) -> Proof:
    """Write one device's image, start its firmware and compare what it reads with `items`, the image's content.

    Raises CapacityError or DeviceError before anything is written, DeviceError or FormatError afterwards.
    """
    check_fits(image, partition)
    check_table(chip, table, partition)
    write_image(chip, image, partition)
    chip.reset()
    return compare(items, read_report(chip, partition.name, timeout_s=timeout_s, on_line=on_line))


def _place(partition: Partition | None) -> str:
    if partition is None:
        return "absent"
    flags = "".join(f" {name}" for name in ("encrypted", "readonly") if getattr(partition, name))
    return f"at 0x{partition.offset:x}, 0x{partition.size_bytes:x} bytes{flags}"
