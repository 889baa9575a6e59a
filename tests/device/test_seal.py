"""The seal: set last, it closes the console."""

from collections.abc import Callable

import pytest

from fctry.device import Deadline
from fctry.device.seal import SEAL
from fctry.errors import DeviceError
from fctry.pytest_plugin import FactoryDevice

from .identities import ARTICLE


def test_sealed_device_reports_and_answers_nothing(
    factory_device: FactoryDevice, image_of: Callable[..., bytes]
) -> None:
    factory_device.flash_partition("fctry", image_of(*ARTICLE, SEAL))
    factory_device.expect_event("boot")
    factory_device.expect_event("sealed")
    factory_device.dut.write("factory #1")
    factory_device.dut.write("info #2")
    with pytest.raises(DeviceError, match="did not say"):
        factory_device.console.expect(("item", "end", "error", "ready", "done", "info"), Deadline.after(1))
    factory_device.flash_factory(image_of(*ARTICLE))  # without the seal it says what it has again
