"""Images that the device suite flashes, and what only some boards can do."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fctry.nvs import Item, encode
from fctry.partitions.table import Partition
from tests.conftest import spare_the_garbage_collector

from .identities import ARTICLE


@pytest.fixture(scope="module", autouse=True)
def nothing_of_other_tests_is_looked_at() -> None:
    spare_the_garbage_collector()


@pytest.fixture(autouse=True)
def nothing_is_traced(esptool_traces_nothing: None) -> None:
    pass


@pytest.fixture
def image_of(factory_partition: Partition) -> Callable[..., bytes]:
    """Makes the image of some items for the factory partition."""

    def make(*items: Item) -> bytes:
        return encode(items, factory_partition.size_bytes)

    return make


@pytest.fixture
def article_image(image_of: Callable[..., bytes]) -> bytes:
    """The image of Espressif's article "Creating Unique Factory Data Images"."""
    return image_of(*ARTICLE)


@pytest.fixture
def cut_power_at(request: pytest.FixtureRequest) -> Callable[..., None]:
    """`NorFlash.cut_power_at` of the first board."""
    if request.config.option.fctry_board != "native":
        pytest.skip("only the native board can cut the power at a given operation of the flash")
    return request.getfixturevalue("fctry_boards")[0].flash.cut_power_at


@pytest.fixture
def encrypted_application(pytestconfig: pytest.Config, request: pytest.FixtureRequest) -> bytes:
    """The application image that is configured for encrypted partitions."""
    reasons = {
        "linux": "ESP-IDF's linux target has no NVS encryption",
        "qemu": "the keys need flash encryption or an HMAC key in the eFuses",
        "usb": "the keys need flash encryption or an HMAC key in the eFuses, for ever",
    }
    if reason := reasons.get(pytestconfig.option.fctry_board):
        pytest.skip(reason)
    _, encrypted = request.getfixturevalue("fctry_applications")
    return (encrypted / "fctry.bin").read_bytes()
