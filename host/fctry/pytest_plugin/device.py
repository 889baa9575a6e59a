"""A device under test and its factory partition, over pytest-embedded's `dut`."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import re
from collections.abc import Collection, Iterable, Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fctry.device.deadline import Deadline
from fctry.device.device_under_test import REPORT_TIMEOUT_S, DeviceUnderTest

if TYPE_CHECKING:
    from fctry.device import Chip, Console, Report
    from fctry.device.proof import Proof
    from fctry.nvs import Item
    from fctry.partitions.table import Partition, PartitionTable

PROOF_TIMEOUT_S = 20.0  # a firmware without a console is not waited for much longer
_LINE = re.compile(rb"\A([^\n]*)\n")  # at the beginning: else each of a long line's bytes is tried for one


class DutWire:
    """The console of pytest-embedded's `dut`, for `fctry.device.Console`."""

    def __init__(self, dut: Any) -> None:
        self._dut = dut

    def send(self, data: bytes) -> None:
        """Send a line."""
        self._dut.write(data.decode().removesuffix("\n"))  # which adds one to a str, to bytes not

    def lines(self, deadline: Deadline) -> Iterator[bytes]:
        """Lines as they come; a device in a boot loop never falls silent, so each has what is left of the time."""
        import pexpect

        while True:
            try:
                line = self._dut.expect(_LINE, timeout=deadline.remaining_s).group(1)
            except pexpect.TIMEOUT:
                return
            yield line.rstrip(b"\r").rpartition(b"\r")[2]


@dataclasses.dataclass
class FactoryDevice(DeviceUnderTest):
    """A device under test and its factory partition. Flash addresses and sizes are in bytes."""

    dut: Any  # pytest-embedded takes it out of here when it has closed it
    _queue: Any
    log: Path  # what it said, which outlives it
    table: PartitionTable
    partition: Partition
    preloaded_image: bytes | None = dataclasses.field(default=None, repr=False)
    secret_namespaces: Collection[str] = ("secrets",)
    secrets: set[bytes] = dataclasses.field(default_factory=set, repr=False)
    _marks: Iterator[int] = dataclasses.field(default_factory=lambda: count(1))
    _own_table: PartitionTable | None = None

    @functools.cached_property
    def console(self) -> Console:
        """The firmware's console, over pytest-embedded's connection."""
        from fctry.device.console import Console

        return Console(DutWire(self.dut))

    @property
    def is_flashable(self) -> bool:
        """Whether the device has a serial port for esptool (pytest-embedded's service `qemu` gives none)."""
        return hasattr(self.dut, "serial")

    @contextlib.contextmanager
    def chip(self) -> Iterator[Chip]:
        """The chip, over pytest-embedded's own connection; afterwards it is reset.

        Then nothing that it said before is left to be read.
        """
        from fctry.device.flasher import Chip

        if not self.is_flashable:
            pytest.skip("needs to flash the device while it runs, which this kind of device cannot")
        serial = self.dut.serial
        serial.stop_redirect_thread()
        settings = serial.proc.get_settings()
        chip = Chip(serial.esp, console_baud=settings["baudrate"])
        try:
            yield chip
        finally:
            mark = self._mark()
            try:
                chip.reset()
            finally:
                serial.proc.apply_settings(settings)
                self.console.is_ready = False
                serial.start_redirect_thread()
            self.dut.expect_exact(mark)

    def flash_factory(self, image: bytes) -> Report:
        """Write an image into the factory partition, erase the rest of it, and return what the firmware reports."""
        if image == self.preloaded_image:
            return self.reset()
        self.flash_partition(self.partition.name, image)
        self.expect_event("boot")
        return self.report()

    def provision(self, items: Iterable[Item], timeout_s: float = PROOF_TIMEOUT_S) -> Proof:
        """Write these items, and compare what the firmware says and proves of each with what was written."""
        from fctry.nvs import encode
        from fctry.provision import read_proof

        items = list(items)
        self.flash_partition(self.partition.name, encode(items, self.partition.size_bytes))
        return read_proof(self.console, items, self.partition, Deadline.after(timeout_s))

    def flash_partition(self, name: str, image: bytes) -> None:
        """Write an image into a partition and erase the rest of it. Afterwards the device boots.

        Raises DeviceError, and writes nothing, when the device's own table puts the partition elsewhere.
        """
        from fctry.provision import open_partition

        self._learn_secrets(image)
        with self.chip() as chip:
            open_partition(chip, self.table, self.table.find(name)).write(image)

    def flash_application(self) -> None:
        """Flash all that the build folder names (application, partition table, …) again, as `idf.py flash` does."""
        self.dut.serial.flash()
        self.console.is_ready = False

    def flash_table(self, table: PartitionTable) -> None:
        """Write another partition table, which is the device's from then on. Its own comes back when the test ends.

        Raises DeviceError, and writes nothing, when the device has another table than the test knows.
        """
        from fctry.device.permit import Permit
        from fctry.errors import DeviceError
        from fctry.partitions import binary

        packed = binary.pack(table)
        with self.chip() as chip:
            if not chip.holds(self.table.offset, binary.pack(self.table)):
                raise DeviceError(
                    f"the device has not the table at {self.table.offset:#x} that it should have",
                    hint="flash the application with its table first: factory_device.flash_application()",
                )
            self._own_table = self._own_table or self.table
            chip.write(Permit([range(table.offset, table.offset + len(packed))]), [(table.offset, packed)])
        self.table, self.partition = table, table.find(self.partition.name)

    def read_partition(self, name: str | None = None) -> bytes:
        """The bytes of a partition (default: the factory partition) as they are in flash now."""
        partition = self.partition if name is None else self.table.find(name)
        with self.chip() as chip:
            return chip.read(partition.offset, partition.size_bytes)

    def reset(self) -> Report:
        """Reset the device and return what its firmware reports of the factory partition."""
        if self.is_flashable:
            with self.chip():
                pass
        else:
            self.console.wait_until_ready(Deadline.after(REPORT_TIMEOUT_S))
            self.dut.hard_reset()
        self.expect_event("boot")
        return self.report()

    @contextlib.contextmanager
    def boot_button(self) -> Iterator[None]:
        """Holds the BOOT button down: DTR pulls IO0 low, on every board with an auto-reset circuit."""
        self.dut.serial.proc.dtr = True
        try:
            yield
        finally:
            self.dut.serial.proc.dtr = False

    def said(self) -> bytes:
        """All that the device has said so far in this test."""
        return self.log.read_bytes()

    def restore(self) -> None:
        """Undo what would disturb the next test: the partition table."""
        if self._own_table is not None and self._own_table != self.table:
            self.flash_table(self._own_table)

    def _learn_secrets(self, image: bytes) -> None:
        """Know what no report of a failed test may show. Whether the image is sound is not judged here."""
        from fctry.errors import FctryError
        from fctry.nvs import decode

        with contextlib.suppress(FctryError):
            for item in decode(image):
                if item.namespace in self.secret_namespaces and isinstance(item.value, str | bytes):
                    self.secrets.add(item.value.encode() if isinstance(item.value, str) else item.value)

    def _mark(self) -> bytes:
        # A line of our own in the stream of the console: what the device said before it is not looked at again.
        mark = f"--- fctry resets the device ({next(self._marks)}) ---\n".encode()
        self._queue.put(mark)
        return mark.strip()
