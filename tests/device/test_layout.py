"""The device's own partition table decides where things are: nothing is written where it disagrees."""

from collections.abc import Iterator

import pytest

from fctry.errors import DeviceError
from fctry.provision import provision
from fctry.pytest_plugin import FactoryDevice

from .identities import ARTICLE
from .layouts import with_partition


@pytest.mark.parametrize("changes", [{"offset": 0x18000}, {"size_bytes": 0x5000}, {"readonly": False}])
def test_other_table_on_the_device_is_said_before_anything_is_written(
    factory_device: FactoryDevice, article_image: bytes, changes: dict[str, int]
) -> None:
    factory_device.flash_factory(b"")
    factory_device.flash_table(with_partition(factory_device, **changes))
    with (
        factory_device.chip() as chip,
        pytest.raises(DeviceError, match=r"in the layout, at 0x[0-9a-f]+, 0x[0-9a-f]+ bytes.* on the device"),
    ):
        provision(chip, article_image, ARTICLE, factory_device.table, factory_device.partition)
    assert set(factory_device.read_partition()) == {0xFF}


@pytest.fixture
def application_comes_back(factory_device: FactoryDevice) -> Iterator[None]:
    yield
    factory_device.flash_application()


@pytest.mark.usefixtures("application_comes_back")
def test_device_without_partition_table_is_said(factory_device: FactoryDevice, article_image: bytes) -> None:
    with factory_device.chip() as chip:
        chip.erase(0x8000, 0x1000)
        with pytest.raises(DeviceError, match="no valid partition table") as caught:
            provision(chip, article_image, ARTICLE, factory_device.table, factory_device.partition)
    assert "idf.py flash" in caught.value.hint
