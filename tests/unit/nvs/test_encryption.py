from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

import pytest

from fctry.errors import FormatError
from fctry.nvs import Item, ItemType, Keys, check, decode, decrypt, encode, encrypt

KEYS = Keys(bytes(range(32)), bytes(range(32, 64)))
ITEMS = [Item("n", "k", ItemType.STR, "secret" * 20), Item("n", "b", ItemType.BLOB, bytes(9000))]


def test_decrypted_image_is_what_was_encrypted() -> None:
    image = encode(ITEMS, 0x6000)
    encrypted = encrypt(image, KEYS)
    assert b"secret" not in encrypted
    assert decrypt(encrypted, KEYS) == image


def test_headers_and_free_entries_stay_as_they_are() -> None:
    image = encode(ITEMS[:1], 0x3000)
    encrypted = encrypt(image, KEYS)
    assert encrypted[:64] == image[:64]
    assert encrypted[64 + 6 * 32 :] == image[64 + 6 * 32 :]


def test_same_value_in_two_places_looks_different() -> None:
    encrypted = encrypt(encode([Item("n", "k", ItemType.BLOB, bytes(64))], 0x3000), KEYS)
    entries = [encrypted[offset : offset + 32] for offset in range(64, 64 + 5 * 32, 32)]
    assert len(set(entries)) == 5


def test_wrong_keys_are_a_finding_and_no_items() -> None:
    image = decrypt(encrypt(encode(ITEMS, 0x6000), KEYS), Keys.generate())
    assert [finding.code for finding in check(image, is_decrypted=True)] == ["nvs-wrong-key"]
    with pytest.raises(FormatError, match="nvs-encrypted"):
        decode(image)


def test_key_partition_is_read_back() -> None:
    partition = KEYS.to_partition()
    assert len(partition) == 4096
    assert Keys.from_partition(partition) == KEYS
    assert Keys.from_partition(partition[:68]) == KEYS


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "0 bytes are no key partition"),
        (b"k" * 67, "67 bytes are no key partition"),
        (b"\xff" * 4096, "erased"),
        (b"k" * 4096, "crc is wrong"),
        (KEYS.to_partition()[:63] + b"x" + KEYS.to_partition()[64:], "crc is wrong"),
    ],
)
def test_damaged_key_partition_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        Keys.from_partition(data)


def test_equal_keys_are_refused() -> None:
    with pytest.raises(FormatError, match="equal"):
        Keys(b"k" * 32, b"k" * 32)


def test_keys_of_another_size_are_refused() -> None:
    with pytest.raises(FormatError, match="size"):
        Keys(b"k" * 31, b"l" * 32)


def test_keys_are_derived_from_the_hmac_key_as_the_firmware_does() -> None:
    """nvs_sec_provider.c: HMAC-SHA256 over eight times the word 0xAEBE5A5A, and 0xCEDEA5A5 for the tweak key."""
    hmac_key = bytes(range(32))
    seeds = [word.to_bytes(4, "little") * 8 for word in (0xAEBE5A5A, 0xCEDEA5A5)]
    expected = [hmac.new(hmac_key, seed, hashlib.sha256).digest() for seed in seeds]
    derived = Keys.from_hmac_key(hmac_key)
    assert [derived.encryption, derived.tweak] == expected


def test_hmac_key_of_another_size_is_refused() -> None:
    with pytest.raises(FormatError, match="31 bytes"):
        Keys.from_hmac_key(bytes(31))


def test_generated_keys_differ_each_time() -> None:
    assert Keys.generate() != Keys.generate()


def test_keys_show_in_no_text() -> None:
    keys = Keys(b"0123456789abcdef" * 2, b"fedcba9876543210" * 2)
    assert str(keys) == repr(keys) == "Keys()"
    with pytest.raises(FormatError) as caught:
        Keys.from_partition(keys.to_partition()[:64] + bytes(4))
    assert "0123" not in f"{caught.value} {caught.value.hint} {vars(caught.value)}"


def test_generator_is_the_systems_own() -> None:
    """`random` can be foretold from a few outputs; `secrets` cannot."""
    source = Path(__file__).parents[3] / "host" / "fctry" / "nvs" / "encryption.py"
    assert "import secrets" in source.read_text()
    assert "import random" not in source.read_text()
