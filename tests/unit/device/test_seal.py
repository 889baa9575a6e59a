"""The seal: a device that says that it has it, and one that does not."""

from __future__ import annotations

import pytest

from fctry.device import Console, Deadline, FakeConsole
from fctry.device.seal import SEAL, burn_seal, check_sealed
from fctry.errors import DeviceError
from fctry.nvs import Item, ItemType

SERIAL = Item("fctryNamespace", "serial", ItemType.STR, "1")


def soon() -> Deadline:
    return Deadline.after(1)


def test_sealed_device_says_so_and_nothing_else() -> None:
    wire = FakeConsole([SERIAL, SEAL])
    check_sealed(Console(wire), soon())
    with pytest.raises(DeviceError, match="did not answer the command factory"):
        Console(wire).ask("factory", soon())


def test_device_that_reports_is_not_sealed() -> None:
    with pytest.raises(DeviceError, match="not sealed") as caught:
        check_sealed(Console(FakeConsole([SERIAL])), soon())
    assert "CONFIG_FACTORY_DATA_CONSOLE_UNTIL_SEALED" in str(caught.value.hint)


def test_report_of_a_sealed_device_is_not_waited_for() -> None:
    with pytest.raises(DeviceError, match="sealed: its firmware reports nothing"):
        Console(FakeConsole([SERIAL, SEAL])).report("fctry", soon())


def test_firmware_without_an_efuse_for_the_seal_is_an_error() -> None:
    wire = FakeConsole([SERIAL])
    with pytest.raises(DeviceError, match="did not burn its seal: ESP_ERR_NOT_FOUND"):
        burn_seal(Console(wire), soon())
    assert wire.sent[0].startswith("seal forever #")
