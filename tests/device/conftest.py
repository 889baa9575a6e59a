"""Images that the device suite flashes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fctry.nvs import Item, encode
from fctry.partitions.table import Partition

from .identities import ARTICLE


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
