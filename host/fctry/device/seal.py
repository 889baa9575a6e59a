"""The seal: what the line sets last, so that the firmware reports nothing and answers nothing any more.

With CONFIG_FACTORY_DATA_SEAL_KEY it is an item of the factory image, which is written once more with it. With
CONFIG_FACTORY_DATA_SEAL_EFUSE it is an eFuse bit, which the firmware burns when it is told to.
Source: firmware/components/factory_data/src/seal.c.
"""

from __future__ import annotations

from fctry.device.console import Console
from fctry.device.deadline import Deadline
from fctry.errors import DeviceError
from fctry.nvs.item import Item, ItemType

SEAL = Item("fctry", "sealed", ItemType.U8, 1)
"""What an image has besides for the device to be sealed."""


def burn_seal(console: Console, deadline: Deadline) -> None:
    """Have the firmware burn its seal's eFuse bit, for ever; it restarts then. Raises DeviceError, and as `Console`."""
    result = console.ask("seal forever", deadline).result
    if result != "ESP_OK":
        raise DeviceError(
            f"the firmware did not burn its seal: {result}",
            hint="it needs CONFIG_FACTORY_DATA_SEAL_EFUSE; on chips other than esp32, eFuse block 3 is written once: "
            "burn the seal's bit with the other data there",
        )


def check_sealed(console: Console, deadline: Deadline) -> None:
    """Let firmware that has just been started say that it is sealed. Raises DeviceError, and as `Console`."""
    if console.expect(("sealed", "end", "ready"), deadline).name != "sealed":
        raise DeviceError(
            "the firmware reports and takes commands: it is not sealed",
            hint="it needs CONFIG_FACTORY_DATA_CONSOLE_UNTIL_SEALED, and CONFIG_FACTORY_DATA_SEAL_KEY if the seal is "
            'in the factory image (idf.py menuconfig, "Factory data")',
        )
