"""The crc in use against crcmod: esp_rom_crc32_le(0xFFFFFFFF, …) is the CRC-32 of zip, begun from zero."""

from __future__ import annotations

from zlib import crc32

import crcmod
from hypothesis import given
from hypothesis import strategies as st

from fctry.nvs import Item, ItemType, encode
from fctry.nvs.format import CRC, CRC_SEED, entry_crc, entry_hash

oracle = crcmod.mkCrcFun(0x104C11DB7, initCrc=0xFFFFFFFF, rev=True, xorOut=0xFFFFFFFF)


@given(parts=st.lists(st.binary(max_size=100)))
def test_crc_is_crcmods_in_one_go_or_in_parts(parts: list[bytes]) -> None:
    crc = CRC_SEED
    for part in parts:
        crc = crc32(part, crc)
    assert crc == oracle(b"".join(parts), CRC_SEED)


def test_crcs_of_an_image_are_crcmods() -> None:
    image = encode([Item("n", "k", ItemType.STR, "value"), Item("n", "u", ItemType.U8, 7)], 0x3000)
    header, namespace, string, data = image[:32], image[64:96], image[96:128], image[128:160]
    assert CRC.unpack(header[28:])[0] == oracle(header[4:28], CRC_SEED)
    for entry in (namespace, string, image[160:192]):
        assert CRC.unpack(entry[4:8])[0] == oracle(entry[:4] + entry[8:], CRC_SEED)
    assert CRC.unpack(string[28:])[0] == oracle(data[:6], CRC_SEED)


@given(
    head=st.binary(min_size=4, max_size=4),
    key=st.binary(min_size=16, max_size=16),
    data=st.binary(max_size=8),
)
def test_crc_and_hash_of_an_entry_are_crcmods(head: bytes, key: bytes, data: bytes) -> None:
    assert entry_crc(head, key, data) == oracle(head + key + data, CRC_SEED)
    assert entry_hash(head[0], key, head[3]) == oracle(head[:1] + key + head[3:], CRC_SEED) & 0xFFFFFF
