"""What the host wrote is what the firmware reads, on every board."""

import re
from collections.abc import Callable

import pytest

from fctry.device import compare
from fctry.nvs import Item, ItemType, encode
from fctry.pytest_plugin import FactoryDevice

from .identities import ARTICLE, LIMITS, NAMESPACE
from .layouts import with_partition


def test_article_keys_are_read_back(factory_device: FactoryDevice, article_image: bytes) -> None:
    report = factory_device.flash_factory(article_image)
    assert compare(ARTICLE, report).is_proven


def test_integers_at_their_limits_are_read_back(
    factory_device: FactoryDevice, image_of: Callable[..., bytes]
) -> None:
    report = factory_device.flash_factory(image_of(*LIMITS))
    assert report.values() == {(item.namespace, item.key): item.value for item in LIMITS}
    assert compare(LIMITS, report).is_proven


def test_longest_string_and_blob_over_pages_are_read_back(
    factory_device: FactoryDevice, image_of: Callable[..., bytes]
) -> None:
    items = [
        Item(NAMESPACE, "longest", ItemType.STR, "0123456789" * 399 + "012345678"),  # 4000 bytes with its NUL
        Item(NAMESPACE, "text", ItemType.STR, 'quote " backslash \\ tab \t line\nend é 漢 🏭'),
        Item(NAMESPACE, "empty", ItemType.STR, ""),
        Item(NAMESPACE, "certificate", ItemType.BLOB, bytes(range(256)) * 40),
    ]
    report = factory_device.flash_factory(image_of(*items))
    assert compare(items, report).is_proven


def test_smallest_factory_partition_is_read_back(factory_device: FactoryDevice) -> None:
    size_bytes = 0x1000  # for a partition flagged readonly, one page is enough
    (info,) = factory_device.ask("info").named("info")
    if tuple(map(int, re.findall(r"\d+", info["idf"])[:2])) < (5, 5):
        pytest.skip(f"needs ESP-IDF v5.5 for a partition of one page, the firmware has {info['idf']}")
    factory_device.flash_table(with_partition(factory_device, size_bytes=size_bytes))
    report = factory_device.flash_factory(encode(ARTICLE, size_bytes, read_only=True))
    assert compare(ARTICLE, report).is_proven


def test_two_identities_on_one_board_one_after_the_other_are_read_back(
    factory_device: FactoryDevice, image_of: Callable[..., bytes]
) -> None:
    for number in (1, 2):
        identity = Item(NAMESPACE, "serial_number", ItemType.STR, f"SN-{number}")
        assert compare([identity], factory_device.flash_factory(image_of(identity))).is_proven


@pytest.mark.parametrize("count", [2], indirect=True)
def test_two_devices_report_what_each_was_given(
    factory_devices: list[FactoryDevice], image_of: Callable[..., bytes]
) -> None:
    identities = [Item(NAMESPACE, "serial_number", ItemType.STR, f"SN-{number}") for number in (1, 2)]
    for device, identity in zip(factory_devices, identities, strict=True):
        device.flash_factory(image_of(identity))
    for device, identity in zip(factory_devices, identities, strict=True):
        assert compare([identity], device.reset()).is_proven
