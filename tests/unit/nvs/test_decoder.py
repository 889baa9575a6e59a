from __future__ import annotations

import pytest

from fctry.errors import FormatError
from fctry.nvs import Item, ItemType, decode, encode


def test_article_image_is_read(article_image: bytes) -> None:
    assert decode(article_image) == [
        Item("fctryNamespace", "serial_number", ItemType.STR, "164589345735"),
        Item("fctryNamespace", "mac_addr", ItemType.STR, "0A:0B:0C:0D:0E:0F"),
    ]


def test_erased_partition_has_no_items() -> None:
    assert decode(b"\xff" * 0x3000) == []


@pytest.mark.parametrize("size", [0, 1, 4095, 4097])
def test_size_that_is_no_number_of_pages_is_refused(size: int) -> None:
    with pytest.raises(FormatError, match="no NVS partition"):
        decode(b"\xff" * size)


@pytest.mark.parametrize("offset", [0, 5, 8, 29, 64, 65, 66, 68, 72, 88, 120, 128, 161])
def test_flipped_bit_is_refused(article_image: bytes, offset: int) -> None:
    damaged = bytearray(article_image)
    damaged[offset] ^= 0x10
    with pytest.raises(FormatError):
        decode(bytes(damaged))


def test_blob_without_one_of_its_chunks_is_refused() -> None:
    image = encode([Item("n", "b", ItemType.BLOB, bytes(9000))], 0x6000)
    with pytest.raises(FormatError, match="chunk"):
        decode(image[:0x1000] + b"\xff" * 0x1000 + image[0x2000:])
