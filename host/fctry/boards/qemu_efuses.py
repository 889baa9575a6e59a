"""The file of eFuses that Espressif's QEMU reads: all zero, but for the chip's revision and its MAC address.

Source: ESP-IDF v5.5.5 tools/idf_py_actions/qemu_ext.py (size, revisions); ESP-IDF v5.5.5
components/efuse/esp32*/esp_efuse_table.csv (places of MAC, its CRC and revisions).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

_WORD = struct.Struct("<I")


@dataclass(frozen=True)
class EfuseLayout:
    """Places in the file, as indices of 32-bit words. The MAC address takes two; `has_mac_crc`: its CRC follows."""

    size_bytes: int
    mac_word: int
    has_mac_crc: bool
    revision: dict[int, int]


LAYOUTS = {
    "esp32": EfuseLayout(124, 1, True, {3: 1 << 15, 5: 1 << 20}),  # v3.0, with the third bit that QEMU sets
    "esp32c3": EfuseLayout(1024, 6, False, {9: 3 << 18}),  # v0.3
    "esp32s3": EfuseLayout(1024, 6, False, {9: 3 << 18}),  # v0.3
}


def make_efuses(chip: str, mac: bytes) -> bytes:
    """The file's content for a chip of LAYOUTS."""
    layout = LAYOUTS[chip]
    words = dict(layout.revision)
    words[layout.mac_word] = int.from_bytes(mac[2:], "big")
    words[layout.mac_word + 1] = int.from_bytes(mac[:2], "big")
    if layout.has_mac_crc:
        words[layout.mac_word + 1] |= mac_crc8(mac) << 16
    content = bytearray(layout.size_bytes)
    for index, value in words.items():
        _WORD.pack_into(content, index * _WORD.size, value)
    return bytes(content)


def mac_crc8(mac: bytes) -> int:
    """CRC-8 with polynomial 0x31, reflected, as the ESP32's ROM has it for the MAC address in its eFuses."""
    crc = 0
    for byte in mac:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x8C if crc & 1 else 0)
    return crc
