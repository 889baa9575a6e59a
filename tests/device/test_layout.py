"""The device's own partition table decides where things are: nothing is written where it disagrees."""

from collections.abc import Iterator

import pytest

from fctry.errors import DeviceError
from fctry.provision import open_partition
from fctry.pytest_plugin import FactoryDevice

from .layouts import ANYWHERE, with_partition

CHANGES = [
    ({"offset": 0x18000}, "offset 0x18000 on the device, 0x10000 in the layout"),
    ({"size_bytes": 0x5000}, "size 0x5000 on the device, 0x6000 in the layout"),
    ({"readonly": False}, "flags none on the device, readonly in the layout"),
    ({"subtype": 0x40}, "subtype 0x40 on the device, nvs in the layout"),
]


@pytest.mark.parametrize(("changes", "difference"), CHANGES)
def test_other_table_on_the_device_is_said_before_anything_is_written(
    factory_device: FactoryDevice, article_image: bytes, changes: dict[str, int], difference: str
) -> None:
    layout, partition = factory_device.table, factory_device.partition
    factory_device.flash_factory(b"")
    factory_device.flash_table(with_partition(factory_device, **changes))
    with factory_device.chip() as chip:
        with pytest.raises(DeviceError, match=difference):
            open_partition(chip, layout, partition)
        assert set(chip.read(partition.offset, partition.size_bytes)) == {0xFF}


def test_fixtures_write_nothing_where_the_device_has_something_else(
    factory_device: FactoryDevice, article_image: bytes
) -> None:
    other = with_partition(factory_device, offset=0x18000)
    place = factory_device.table, factory_device.partition
    factory_device.flash_factory(b"")
    factory_device.flash_table(other)
    factory_device.table, factory_device.partition = place  # as with --partitions of another device
    with pytest.raises(DeviceError, match="offset 0x18000 on the device"):
        factory_device.flash_factory(article_image)
    assert set(factory_device.read_partition()) == {0xFF}
    factory_device.table = other
    factory_device.flash_table(place[0])


@pytest.fixture
def application_comes_back(factory_device: FactoryDevice) -> Iterator[None]:
    yield
    factory_device.flash_application()


@pytest.mark.usefixtures("application_comes_back")
def test_device_without_partition_table_is_said(factory_device: FactoryDevice, article_image: bytes) -> None:
    with factory_device.chip() as chip:
        chip.write(ANYWHERE, [(0x8000, b"\xff" * 0x1000)])
        with pytest.raises(DeviceError, match="no valid partition table") as caught:
            open_partition(chip, factory_device.table, factory_device.partition)
    assert "idf.py flash" in caught.value.hint
