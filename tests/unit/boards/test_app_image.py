"""Application images: round trip, what is refused, and what esptool makes of them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from esptool.bin_image import LoadFirmwareImage
from hypothesis import given
from hypothesis import strategies as st

from fctry.boards.chip.app_image import AppDescription, pack, unpack
from fctry.boards.chip.chips import CHIPS
from fctry.errors import FormatError, InputError

DESCRIPTION = AppDescription("fctry-reference", "1.0.0", "v5.5.5", hashlib.sha256(b"elf").digest())

texts = st.text(st.characters(min_codepoint=1, max_codepoint=127), max_size=31)


@given(texts, texts, texts, st.binary(min_size=32, max_size=32), st.integers(0, 2**32 - 1))
def test_unpack_returns_what_pack_took_for_any_description(
    name: str, version: str, idf: str, digest: bytes, secure_version: int
) -> None:
    description = AppDescription(name, version, idf, digest, secure_version=secure_version)
    image = pack(description)
    assert unpack(image + b"\xff" * 32).description == description
    assert unpack(image).size_bytes == len(image)


@pytest.mark.parametrize("chip", CHIPS)
def test_image_is_valid_for_esptool_on_every_chip(chip: str, tmp_path: Path) -> None:
    path = tmp_path / "app.bin"
    path.write_bytes(pack(DESCRIPTION, chip))
    image = LoadFirmwareImage(chip, str(path))
    assert image.checksum == image.calculate_checksum()
    assert image.stored_digest == image.calc_digest
    assert image.chip_id == image.ROM_LOADER.IMAGE_CHIP_ID
    assert image.is_flash_addr(image.segments[0].addr)
    assert unpack(path.read_bytes()).chip_id == CHIPS[chip].image_chip_id


def test_unpack_refuses_any_flipped_bit() -> None:
    image = pack(DESCRIPTION)
    for bit in range(len(image) * 8):
        damaged = bytearray(image)
        damaged[bit // 8] ^= 1 << bit % 8
        if bit // 8 == 23:  # hash_appended: without it the digest is trailing data, as for the boot loader
            continue
        with pytest.raises(FormatError):
            unpack(bytes(damaged))


@given(st.integers(0, 335))
def test_unpack_refuses_any_cut(length: int) -> None:
    with pytest.raises(FormatError):
        unpack(pack(DESCRIPTION)[:length])


@given(st.binary(max_size=512))
def test_unpack_refuses_arbitrary_bytes(data: bytes) -> None:
    with pytest.raises(FormatError):
        unpack(data)


@pytest.mark.parametrize("version", ["x" * 32, "größer", "a\0b"])
def test_pack_refuses_a_text_that_does_not_fit(version: str) -> None:
    with pytest.raises(InputError, match="version"):
        pack(AppDescription("app", version, "v5.5.5", bytes(32)))


def test_pack_refuses_a_digest_of_another_length() -> None:
    with pytest.raises(InputError, match="32 bytes"):
        pack(AppDescription("app", "1", "v5.5.5", bytes(20)))


def test_pack_refuses_an_unknown_chip() -> None:
    with pytest.raises(InputError) as caught:
        pack(DESCRIPTION, "esp8266")
    assert "esp32c3" in caught.value.hint
