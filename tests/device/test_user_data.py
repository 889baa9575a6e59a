"""The user's settings: what a reset to factory erases and an upgrade keeps; the factory data survives all of it."""

import struct
import zlib
from collections.abc import Callable

import pytest

from fctry.boards import Tear
from fctry.nvs import Item, ItemType, Value, encode
from fctry.pytest_plugin import FactoryDevice

from .identities import ARTICLE

PAGE_SIZE_BYTES = 0x1000


@pytest.fixture
def device(factory_device: FactoryDevice, article_image: bytes) -> FactoryDevice:
    """A device with the article's factory data and no settings."""
    factory_device.flash_partition("nvs", b"")
    factory_device.flash_factory(article_image)
    return factory_device


def settings(device: FactoryDevice) -> dict[str, Value]:
    """The user's settings by key."""
    return {key: value for (_, key), value in device.ask("user-list").report("nvs").values().items()}


def store(device: FactoryDevice, **values: str) -> None:
    for key, value in values.items():
        assert device.ask(f"user-set {key} {value}").result == "ESP_OK"


def assert_factory_data_is_whole(device: FactoryDevice, image: bytes) -> None:
    assert device.ask("factory").report("fctry").values() == {
        (item.namespace, item.key): item.value for item in ARTICLE
    }
    assert device.read_partition() == image


def test_settings_survive_a_reset(device: FactoryDevice) -> None:
    store(device, name="kitchen", colour="red")
    store(device, colour="blue")
    assert settings(device) == {"name": "kitchen", "colour": "blue"}
    device.reset()
    assert settings(device) == {"name": "kitchen", "colour": "blue"}


def test_setting_that_is_not_there_is_an_error_by_name(device: FactoryDevice) -> None:
    assert device.ask("user-get name").report("nvs").codes == ("ESP_ERR_NVS_NOT_FOUND",)


def test_reset_to_factory_erases_the_settings_and_nothing_else(
    device: FactoryDevice, article_image: bytes
) -> None:
    store(device, name="kitchen")
    assert device.ask("factory-reset").result == "ESP_OK"
    device.expect_event("ready")
    assert settings(device) == {}
    assert_factory_data_is_whole(device, article_image)


@pytest.mark.not_on("linux", reason="ESP-IDF's linux target has no GPIO")
@pytest.mark.not_on("qemu", reason="QEMU's GPIO0 has no way to the port's DTR while it runs")
def test_boot_button_held_at_start_up_resets_to_factory(device: FactoryDevice, article_image: bytes) -> None:
    store(device, name="kitchen")
    device.reset()
    device.expect_event("ready")
    with device.boot_button():
        device.dut.expect("BOOT button: hold it")
        device.dut.expect("reset to factory: erasing partition 'nvs'")
    device.expect_event("ready")
    assert settings(device) == {}
    assert_factory_data_is_whole(device, article_image)


@pytest.mark.not_on("linux", reason="ESP-IDF's linux target has no GPIO")
@pytest.mark.not_on("qemu", reason="QEMU's GPIO0 has no way to the port's DTR while it runs")
def test_boot_button_let_go_too_early_resets_nothing(device: FactoryDevice) -> None:
    store(device, name="kitchen")
    device.reset()
    device.expect_event("ready")
    with device.boot_button():
        device.dut.expect("BOOT button: hold it")
    device.dut.expect("BOOT button: let go")
    assert settings(device) == {"name": "kitchen"}


def test_application_upgrade_keeps_both_partitions(device: FactoryDevice, article_image: bytes) -> None:
    store(device, name="kitchen")
    device.flash_application()
    device.reset()
    assert settings(device) == {"name": "kitchen"}
    assert_factory_data_is_whole(device, article_image)


def test_factory_image_flashed_again_keeps_the_settings(
    device: FactoryDevice, image_of: Callable[..., bytes]
) -> None:
    store(device, name="kitchen")
    device.flash_factory(image_of(ARTICLE[0]))
    assert settings(device) == {"name": "kitchen"}


def page_header(version: int) -> bytes:
    """A full page's header, its CRC right. Source: ESP-IDF components/nvs_flash/src/nvs_page.hpp."""
    state_full, sequence_number = 0xFFFFFFFC, 0
    fields = struct.pack("<IB19x", sequence_number, version).replace(b"\0" * 19, b"\xff" * 19)
    return struct.pack("<I", state_full) + fields + struct.pack("<I", zlib.crc32(fields, 0xFFFFFFFF))


def user_partition(device: FactoryDevice, content: str) -> bytes:
    size_bytes = device.table.find("nvs").size_bytes
    if content == "full":  # every entry of every page is in use
        page = page_header(0xFE) + b"\xaa" * 32 + b"\0" * (PAGE_SIZE_BYTES - 64)
        return page * (size_bytes // PAGE_SIZE_BYTES)
    if content == "of a newer version":
        return (page_header(0xFD) + b"\xff" * (PAGE_SIZE_BYTES - 32)).ljust(size_bytes, b"\xff")
    if content == "zeros":
        return bytes(size_bytes)
    image = bytearray(encode([Item("user", "name", ItemType.STR, "kitchen")], size_bytes))
    image[{"damaged in a page header": 5, "damaged in an entry": 64 + 32 + 9}[content]] ^= 1
    return bytes(image)


@pytest.mark.parametrize(
    "content", ["full", "of a newer version", "zeros", "damaged in a page header", "damaged in an entry"]
)
def test_user_partition_is_recovered_and_the_factory_data_untouched(
    device: FactoryDevice, article_image: bytes, content: str
) -> None:
    device.flash_partition("nvs", user_partition(device, content))
    device.expect_event("ready")
    store(device, name="cellar")
    assert settings(device) == {"name": "cellar"}
    assert_factory_data_is_whole(device, article_image)


@pytest.mark.parametrize("tear", Tear)
def test_power_cut_while_settings_are_stored_leaves_the_old_or_the_new_value(
    device: FactoryDevice, article_image: bytes, cut_power_at: Callable[..., None], tear: Tear
) -> None:
    store(device, name="value-0")
    number, is_cut = 0, True
    while is_cut:
        number += 1
        before = settings(device)["name"]
        cut_power_at(number, tear, seed=number)
        event = device.tell(f"user-set name value-{number}", until=("done", "boot"))
        cut_power_at(None)
        is_cut = event.name == "boot"
        if is_cut:
            device.expect_event("ready")
        assert settings(device)["name"] in (before, f"value-{number}")
        assert device.ask("factory").report("fctry").values().keys() == {
            (i.namespace, i.key) for i in ARTICLE
        }
    assert number > 1
    assert_factory_data_is_whole(device, article_image)


@pytest.mark.parametrize("tear", Tear)
def test_power_cut_while_the_reset_to_factory_runs_is_finished_at_the_next_boot(
    device: FactoryDevice, article_image: bytes, cut_power_at: Callable[..., None], tear: Tear
) -> None:
    number, is_cut = 0, True
    while is_cut:
        number += 1
        store(device, name="kitchen")
        cut_power_at(number, tear, seed=number)
        is_cut = device.tell("factory-reset", until=("done", "boot")).name == "boot"
        cut_power_at(None)
        device.expect_event("ready")
        # at the first operation the reset may not have begun: then all is as it was
        assert settings(device) in ([{}, {"name": "kitchen"}] if number == 1 else [{}])
    assert number > 5
    assert_factory_data_is_whole(device, article_image)
