"""One device: its image written, its firmware started, and what the firmware reads compared with what was written.

The firmware reports one namespace. The items of the others are secrets: never shown, proven by challenge and response.
"""

from __future__ import annotations

import hmac
import secrets
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from fctry.device.flasher import Chip
from fctry.device.report import Event, Report, ReportCollector, Value, parse_line
from fctry.errors import CapacityError, DeviceError, FormatError, InputError, PortError
from fctry.nvs import Item
from fctry.partitions import binary
from fctry.partitions.table import Partition, PartitionTable

REPORT_TIMEOUT_S = 15.0
CHALLENGE_BYTES = 32

Name = tuple[str, str, str]
"""Namespace, key and type: what tells one item from another."""


@dataclass(frozen=True)
class Comparison:
    """One key: what was written and what the firmware said, None where it did not write or say anything.

    Of a secret the firmware says nothing; ``is_accepted`` is whether it proved to have it, None where it gave no proof.
    """

    namespace: str
    key: str
    type: str
    written: Value | None
    said: Value | None
    is_secret: bool = False
    is_accepted: bool | None = None

    @property
    def is_equal(self) -> bool:
        """Whether the firmware said, or proved to have, exactly what was written, in the same type."""
        if self.is_secret:
            return self.is_accepted is True
        return self.written is not None and _exact(self.written) == _exact(self.said)


@dataclass(frozen=True)
class Proof:
    """The comparison of all keys, and the errors that the firmware reported."""

    comparisons: tuple[Comparison, ...]
    errors: tuple[Event, ...]

    @property
    def is_proven(self) -> bool:
        """Whether every key is equal and the firmware reported no error."""
        return bool(self.comparisons) and not self.errors and all(row.is_equal for row in self.comparisons)


def compare(items: Iterable[Item], report: Report, proofs: Mapping[Name, bool] | None = None) -> Proof:
    """Compare what was written with what the firmware reported, in the order of writing, then what it said besides.

    ``proofs`` are those of the items in other namespaces than the reported one, as `prove` returns them.
    """
    said = {(item.namespace, item.key, item.type): item.value for item in report.items}
    reported = _namespaces(report)
    rows = [
        Comparison(
            *_name(item),
            item.value,
            said.pop(_name(item), None),
            is_secret=item.namespace not in reported,
            is_accepted=(proofs or {}).get(_name(item)),
        )
        for item in items
    ]
    rows += [Comparison(*name, None, value) for name, value in said.items()]
    return Proof(tuple(rows), report.errors)


def check_partition(table: PartitionTable, partition: Partition) -> None:
    """Raise InputError when the partition is none for an NVS image, such as the application's."""
    if not partition.is_nvs:
        names = ", ".join(entry.name for entry in table if entry.is_nvs) or "none"
        raise InputError(
            f"the partition '{partition.name}' is not of type data, nvs: an image would destroy what is in it",
            hint=f"name the factory partition; of type data, nvs there are: {names}",
            file=table.file or None,
        )


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
        found = binary.unpack(chip.read(table.offset, binary.TABLE_BYTES))
    except FormatError as error:
        raise DeviceError(
            f"the device has no valid partition table at 0x{table.offset:x}: {error.message}",
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
    for event in _events(chip, timeout_s, on_line):
        report = collector.feed(event)
        if report is not None:
            return report
    raise DeviceError(
        f"the firmware did not report its partition '{partition_name}' within {timeout_s:g} s",
        hint="look at the console (`python -m serial.tools.miniterm PORT 115200`): does it boot, and is it "
        "firmware with the factory_data component?",
    )


def wait_until_ready(
    chip: Chip, *, timeout_s: float = REPORT_TIMEOUT_S, on_line: Callable[[str], None] | None = None
) -> bool:
    """Listen until the firmware's console takes commands; False when it did not say so in time.

    Raises FormatError for a damaged report line.
    """
    return any(event.name == "ready" for event in _events(chip, timeout_s, on_line))


def not_reported(items: Iterable[Item], report: Report) -> list[Item]:
    """The items for `prove`: those of other namespaces than the reported one, none if nothing was reported."""
    reported = _namespaces(report)
    return [item for item in items if reported and item.namespace not in reported]


def prove(
    chip: Chip,
    items: Iterable[Item],
    *,
    timeout_s: float = REPORT_TIMEOUT_S,
    on_line: Callable[[str], None] | None = None,
) -> dict[Name, bool]:
    """Let the firmware's console, which must be ready, prove that it has these items: whether each is as written.

    Items without a proof are left out: the command has none for numbers, empty values and what is not there, and names
    that are not printable cannot be typed. A firmware that is silent for `timeout_s` seconds is not asked again.
    Raises FormatError for a damaged report line, PortError when nothing can be sent.
    Source: docs/firmware.md, "Console"; firmware/components/factory_data/src/prove.c.
    """
    proofs: dict[Name, bool] = {}
    for number, item in enumerate(items):
        if not isinstance(item.value, (str, bytes)) or not (item.namespace + item.key).isprintable():
            continue
        challenge = secrets.token_bytes(CHALLENGE_BYTES)
        expected = hmac.digest(stored_bytes(item.value), challenge, "sha256").hex().encode()
        _send(
            chip, f"prove {_quoted(item.namespace)} {_quoted(item.key)} {challenge.hex()} #prove-{number}\n"
        )
        for event in _events(chip, timeout_s, on_line):
            if event.get("id") != f"prove-{number}":
                continue
            if event.name == "proof":
                answer = str(event.get("hmac")).encode(errors="replace")
                proofs[_name(item)] = hmac.compare_digest(answer, expected)
            if event.name == "done":
                break
        else:
            break
    return proofs


def stored_bytes(value: str | bytes) -> bytes:
    """The bytes of a value in NVS, of a string without its NUL."""
    return value.encode(errors="surrogateescape") if isinstance(value, str) else value


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

    Raises InputError or DeviceError before anything is written, DeviceError, FormatError or PortError afterwards.
    """
    check_partition(table, partition)
    check_fits(image, partition)
    check_table(chip, table, partition)
    write_image(chip, image, partition)
    chip.reset()
    report = read_report(chip, partition.name, timeout_s=timeout_s, on_line=on_line)
    unproven = not_reported(items, report)
    proofs = {}
    if unproven and wait_until_ready(chip, timeout_s=timeout_s, on_line=on_line):
        proofs = prove(chip, unproven, timeout_s=timeout_s, on_line=on_line)
    return compare(items, report, proofs)


def _events(chip: Chip, timeout_s: float, on_line: Callable[[str], None] | None) -> Iterator[Event]:
    for line in chip.lines(timeout_s):
        if on_line is not None:
            on_line(line.decode(errors="replace"))
        event = parse_line(line)
        if event is not None:
            yield event


def _send(chip: Chip, command: str) -> None:
    try:
        chip.port.write(command.encode())
    except OSError as error:  # pyserial's errors are all of this kind
        raise PortError(
            f"cannot send a command to the firmware: {error}",
            hint="is the cable in place, and the board's server still there?",
        ) from error


def _quoted(word: str) -> str:
    # as esp_console splits a line
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _name(item: Item) -> Name:
    return item.namespace, item.key, item.type.value


def _namespaces(report: Report) -> set[object]:
    """The namespaces that the report is on: mostly one, none if no line names any."""
    named = {event.get("namespace") for event in report.errors} - {None}
    return named | {item.namespace for item in report.items}


def _exact(value: Value | None) -> Value | None:
    """What makes values of one type equal: -0.0 is not 0.0, NaN is itself, a string may come as bytes."""
    if isinstance(value, float):
        return struct.pack("<d", value)
    return value if isinstance(value, int) or value is None else stored_bytes(value)


def _place(partition: Partition | None) -> str:
    if partition is None:
        return "absent"
    flags = "".join(f" {name}" for name in ("encrypted", "readonly") if getattr(partition, name))
    return f"at 0x{partition.offset:x}, 0x{partition.size_bytes:x} bytes{flags}"
