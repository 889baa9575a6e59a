"""NVS encryption: both partitions encrypted with the keys in the device's key partition."""

from collections.abc import Callable, Iterator

import pytest

from fctry.device import compare
from fctry.nvs import Item, ItemType, Keys, decode, decrypt, encrypt
from fctry.partitions import binary
from fctry.partitions.table import DATA, DATA_NVS_KEYS, TABLE_OFFSET, Partition, PartitionTable
from fctry.pytest_plugin import FactoryDevice

from .identities import ARTICLE, NAMESPACE
from .layouts import ANYWHERE

ITEMS = (
    *ARTICLE,
    Item(NAMESPACE, "hardware", ItemType.U16, 0x0102),
    Item(NAMESPACE, "certificate", ItemType.BLOB, bytes(range(256)) * 20),
)


@pytest.fixture
def keys() -> Keys:
    return Keys.generate()


@pytest.fixture
def key_partition(factory_partition: Partition) -> Partition:
    """A place for the keys, behind the factory partition."""
    offset = factory_partition.offset + factory_partition.size_bytes
    return Partition("nvs_keys", DATA, DATA_NVS_KEYS, offset, 0x1000, encrypted=True)


@pytest.fixture
def device(
    factory_device: FactoryDevice, encrypted_application: bytes, key_partition: Partition, keys: Keys
) -> Iterator[FactoryDevice]:
    """A device with keys and the application that uses them."""
    layout = factory_device.table
    user = layout.find("nvs")
    try:
        with factory_device.chip() as chip:
            chip.write(ANYWHERE, [(user.offset, b"\xff" * user.size_bytes)])
            chip.write(
                ANYWHERE,
                [
                    (TABLE_OFFSET, binary.pack(PartitionTable((*layout, key_partition)))),
                    (key_partition.offset, keys.to_partition()),
                    (layout.find("factory").offset, encrypted_application),
                ],
            )
        yield factory_device
    finally:
        with factory_device.chip() as chip:
            chip.write(ANYWHERE, [(user.offset, b"\xff" * user.size_bytes)])
        factory_device.flash_application()


def test_encrypted_factory_data_is_read_back(
    device: FactoryDevice, keys: Keys, image_of: Callable[..., bytes]
) -> None:
    image = encrypt(image_of(*ITEMS), keys)
    assert compare(ITEMS, device.flash_factory(image)).is_proven
    assert device.read_partition() == image
    assert ARTICLE[0].value.encode() not in image


def test_settings_are_encrypted_with_the_same_keys(device: FactoryDevice, keys: Keys) -> None:
    assert device.ask("user-set ssid neighbours").result == "ESP_OK"
    device.reset()
    (item,) = device.ask("user-get ssid").named("item")
    assert item["value"] == "neighbours"
    flash = device.read_partition("nvs")
    assert b"neighbours" not in flash
    assert [(item.key, item.value) for item in decode(decrypt(flash, keys))] == [("ssid", "neighbours")]


def test_reset_to_factory_erases_encrypted_settings_and_nothing_else(
    device: FactoryDevice, keys: Keys, image_of: Callable[..., bytes]
) -> None:
    image = encrypt(image_of(*ITEMS), keys)
    device.flash_factory(image)
    device.ask("user-set ssid neighbours")
    device.tell("factory-reset", until=["boot"])
    assert compare(ITEMS, device.report()).is_proven
    assert device.ask("user-get ssid").result == "ESP_ERR_NVS_NOT_FOUND"
    assert device.read_partition() == image


@pytest.mark.parametrize("has_keys", [True, False], ids=["other keys", "no keys"])
def test_factory_data_of_other_keys_is_refused_and_stays(
    device: FactoryDevice, key_partition: Partition, image_of: Callable[..., bytes], has_keys: bool
) -> None:
    image = encrypt(image_of(*ITEMS), Keys.generate())
    if not has_keys:
        with device.chip() as chip:
            chip.write(ANYWHERE, [(key_partition.offset, b"\xff" * key_partition.size_bytes)])
    report = device.flash_factory(image)
    assert (report.items, report.codes) == ((), ("ESP_ERR_NOT_ALLOWED",))
    assert device.ask("user-set ssid neighbours").result == "ESP_OK"  # the application runs on
    assert device.read_partition() == image
