"""The plugin's fixtures when something goes wrong in a test."""

import os
import re
import time
from pathlib import Path

import pexpect
import pytest

from fctry.device.report import format_line
from fctry.errors import CapacityError, DeviceError
from fctry.partitions.table import Partition, PartitionTable
from fctry.pytest_plugin import FactoryDevice

LINE = format_line({"event": "boot"}).encode() + b"\r\n"


def test_device_answers_after_an_error_while_it_was_flashed(factory_device: FactoryDevice) -> None:
    with pytest.raises(CapacityError):
        factory_device.flash_factory(b"\xff" * (factory_device.partition.size_bytes + 1))
    assert factory_device.ask("info").result == "ESP_OK"


def test_application_that_was_flashed_is_waited_for(factory_device: FactoryDevice) -> None:
    factory_device.reset()
    assert factory_device.ask("info").result == "ESP_OK"
    factory_device.flash_application()
    assert factory_device.ask("info").result == "ESP_OK"


class BootLoop:
    """A device that starts over and over."""

    def expect(self, pattern: re.Pattern[bytes], timeout: float) -> re.Match[bytes] | None:
        if timeout <= 0:
            raise pexpect.TIMEOUT("")
        time.sleep(0.02)
        return re.match(pattern, LINE)


def test_boot_loop_ends_in_a_timeout(partition_table: PartitionTable, factory_partition: Partition) -> None:
    device = FactoryDevice(BootLoop(), None, Path(os.devnull), partition_table, factory_partition)
    with pytest.raises(DeviceError, match="did not report"):
        device.report(timeout_s=0.2)
