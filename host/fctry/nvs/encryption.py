"""NVS encryption: XTS-AES over every entry on its own, and the keys for it.

Source: ESP-IDF v5.5.5, components/nvs_flash/src/nvs_encrypted_partition.cpp, src/nvs_api.cpp (nvs_flash_generate_keys,
nvs_flash_read_security_cfg), components/nvs_sec_provider/nvs_sec_provider.c (compute_nvs_keys_with_hmac).

Page headers and entry states stay readable. The tweak is the entry's offset in the partition: an image can be flashed
anywhere, but a page cannot be moved within it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from zlib import crc32

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import XTS

from fctry.errors import FormatError
from fctry.nvs.format import (
    CRC,
    CRC_SEED,
    ENTRIES_OFFSET,
    ENTRY_SIZE_BYTES,
    PAGE_SIZE_BYTES,
    EntryState,
)
from fctry.nvs.reader import read_pages

KEY_SIZE_BYTES = 32
KEY_PARTITION_SIZE_BYTES = PAGE_SIZE_BYTES
HMAC_SEEDS = (
    bytes.fromhex("5A5ABEAE") * 8,
    bytes.fromhex("A5A5DECE") * 8,
)  # for the encryption key, for the tweak key


@dataclass(frozen=True)
class Keys:
    """The two keys of an encrypted partition. They appear in no text that is made of this object."""

    encryption: bytes = field(repr=False)
    tweak: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not len(self.encryption) == len(self.tweak) == KEY_SIZE_BYTES:
            raise FormatError("NVS keys of a wrong size", hint=f"each is {KEY_SIZE_BYTES} bytes long")
        if self.encryption == self.tweak:
            raise FormatError("the two NVS keys are equal", hint="XTS needs two: make new ones")

    @classmethod
    def generate(cls) -> Keys:
        """New keys from the operating system's random generator."""
        return cls(secrets.token_bytes(KEY_SIZE_BYTES), secrets.token_bytes(KEY_SIZE_BYTES))

    @classmethod
    def from_hmac_key(cls, hmac_key: bytes) -> Keys:
        """The keys that a device derives from the HMAC key (32 bytes) in its eFuses."""
        if len(hmac_key) != KEY_SIZE_BYTES:
            raise FormatError(
                f"an HMAC key of {len(hmac_key)} bytes", hint=f"the eFuse block holds {KEY_SIZE_BYTES} bytes"
            )
        return cls(*(hmac.digest(hmac_key, seed, hashlib.sha256) for seed in HMAC_SEEDS))

    @classmethod
    def from_partition(cls, data: bytes) -> Keys:
        """The keys in a key partition (data, nvs_keys), such as `to_partition` or Espressif's generator makes.

        Raises FormatError when it is too short, erased, or its crc is wrong.
        """
        keys, crc = data[: 2 * KEY_SIZE_BYTES], data[2 * KEY_SIZE_BYTES : 2 * KEY_SIZE_BYTES + CRC.size]
        if len(crc) != CRC.size:
            raise FormatError(f"{len(data)} bytes are no key partition", hint="it is 4096 bytes long")
        if set(keys + crc) == {0xFF}:
            raise FormatError("the key partition is erased", hint="make keys with `fctry image keys`")
        if CRC.unpack(crc)[0] != crc32(keys, CRC_SEED):
            raise FormatError(
                "the key partition's crc is wrong", hint="is it the partition of subtype nvs_keys?"
            )
        return cls(keys[:KEY_SIZE_BYTES], keys[KEY_SIZE_BYTES:])

    def to_partition(self) -> bytes:
        """The 4096 bytes to flash into the key partition."""
        keys = self.encryption + self.tweak
        return (keys + CRC.pack(crc32(keys, CRC_SEED))).ljust(KEY_PARTITION_SIZE_BYTES, b"\xff")


def encrypt(image: bytes, keys: Keys) -> bytes:
    """The image with its entries encrypted, free ones excepted. Raises FormatError for a size that is none."""
    return _crypt(image, keys, is_encryption=True)


def decrypt(image: bytes, keys: Keys) -> bytes:
    """The image with its entries decrypted. Wrong keys make gibberish of them, which `check` tells."""
    return _crypt(image, keys, is_encryption=False)


def _crypt(image: bytes, keys: Keys, *, is_encryption: bool) -> bytes:
    algorithm = AES(keys.encryption + keys.tweak)
    result = bytearray(image)
    for page in read_pages(image):
        for number, state in enumerate(page.states):
            if state == EntryState.EMPTY:
                continue
            offset = page.number * PAGE_SIZE_BYTES + ENTRIES_OFFSET + number * ENTRY_SIZE_BYTES
            cipher = Cipher(algorithm, XTS(offset.to_bytes(16, "little")))
            context: CipherContext = cipher.encryptor() if is_encryption else cipher.decryptor()
            result[offset : offset + ENTRY_SIZE_BYTES] = context.update(
                result[offset : offset + ENTRY_SIZE_BYTES]
            )
    return bytes(result)
