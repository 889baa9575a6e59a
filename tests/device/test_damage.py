"""A factory partition that is erased or damaged: named errors, never a wrong value, and the application runs on.

What nvs_flash does depends on the flag `readonly` of the partition table: without it, it "repairs" by erasing.
"""

import random

import pytest

from fctry.device.report import Report
from fctry.pytest_plugin import FactoryDevice

from .identities import ARTICLE, NAMESPACE
from .layouts import with_partition

# The article's image: entry 0 is the namespace, 1 and 2 are serial_number, 3 and 4 are mac_addr.
# Byte offsets in the image; a page has a header of 32 bytes, a state bitmap of 32 bytes, then entries of 32 bytes.
PAGE_HEADER, STRING_DATA, ENTRY_HEADER = 4, 64 + 2 * 32, 64 + 1 * 32 + 8
DAMAGE = {"page header": PAGE_HEADER, "entry header": ENTRY_HEADER, "string data": STRING_DATA}

SERIAL_NUMBER, MAC_ADDR = ((item.namespace, item.key) for item in ARTICLE)
WRITTEN = {(item.namespace, item.key): item.value for item in ARTICLE}


def with_bit_flipped(image: bytes, offset: int) -> bytes:
    damaged = bytearray(image)
    damaged[offset] ^= 1
    return bytes(damaged)


def assert_runs_on(device: FactoryDevice, report: Report) -> None:
    """The application answers its console with the same report."""
    assert device.ask("factory").report(device.partition.name).items == report.items


def assert_nothing_wrong_is_a_value(report: Report) -> None:
    assert report.values().items() <= WRITTEN.items()


@pytest.fixture
def writable_device(factory_device: FactoryDevice) -> FactoryDevice:
    """The device with a partition table whose factory partition lacks the flag `readonly`."""
    factory_device.flash_table(with_partition(factory_device, readonly=False))
    return factory_device


def test_erased_factory_partition_is_an_error_by_name(factory_device: FactoryDevice) -> None:
    report = factory_device.flash_factory(b"")
    assert report.items == ()
    assert report.codes == ("ESP_ERR_NVS_NOT_FOUND",)
    assert report.errors[0]["where"] == "nvs_open_from_partition"
    assert_runs_on(factory_device, report)


@pytest.mark.parametrize("content", ["random bytes", "zeros"])
def test_factory_partition_of_anything_else_is_an_error_by_name(
    factory_device: FactoryDevice, content: str
) -> None:
    size_bytes = factory_device.partition.size_bytes
    image = bytes(size_bytes) if content == "zeros" else random.Random(1).randbytes(size_bytes)
    report = factory_device.flash_factory(image)
    assert report.items == ()
    assert (report.errors[0]["where"], report.codes[0]) == ("nvs_flash_init_partition", "ESP_ERR_NOT_ALLOWED")
    assert_runs_on(factory_device, report)
    assert factory_device.read_partition() == image


@pytest.mark.parametrize(
    ("damage", "values", "error"),
    [
        ("page header", set(), ("nvs_flash_init_partition", None)),
        ("entry header", set(), ("nvs_flash_init_partition", None)),
        ("string data", {MAC_ADDR}, ("nvs_get_str", "serial_number")),
    ],
)
def test_flipped_bit_under_readonly_is_reported_and_stays(
    factory_device: FactoryDevice,
    article_image: bytes,
    damage: str,
    values: set[tuple[str, str]],
    error: tuple[str, str | None],
) -> None:
    damaged = with_bit_flipped(article_image, DAMAGE[damage])
    report = factory_device.flash_factory(damaged)
    assert_nothing_wrong_is_a_value(report)
    assert report.values().keys() == values
    assert report.codes == ("ESP_ERR_NOT_ALLOWED",)
    assert (report.errors[0]["where"], report.errors[0].get("key")) == error
    assert_runs_on(factory_device, report)
    assert factory_device.read_partition() == damaged


@pytest.mark.parametrize(
    ("damage", "values", "errors"),
    [
        ("page header", set(), [("nvs_open_from_partition", None, "ESP_ERR_NVS_NOT_FOUND")]),
        ("entry header", {MAC_ADDR}, []),  # the key is gone: the firmware cannot know that there was one
        ("string data", {MAC_ADDR}, [("nvs_get_str", "serial_number", "ESP_ERR_NVS_NOT_FOUND")]),
    ],
)
def test_flipped_bit_without_readonly_costs_the_data(
    writable_device: FactoryDevice,
    article_image: bytes,
    damage: str,
    values: set[tuple[str, str]],
    errors: list[tuple[str, str | None, str]],
) -> None:
    damaged = with_bit_flipped(article_image, DAMAGE[damage])
    report = writable_device.flash_factory(damaged)
    assert_nothing_wrong_is_a_value(report)
    assert report.values().keys() == values
    assert [(event["where"], event.get("key"), event["code"]) for event in report.errors] == errors
    assert writable_device.read_partition() != damaged
    after = writable_device.reset()
    assert (NAMESPACE, "serial_number") not in after.values()
