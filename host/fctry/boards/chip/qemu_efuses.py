"""The file of eFuses that Espressif's QEMU reads: all zero, but for the chip's revision and its MAC address."""

from __future__ import annotations

import struct

from fctry.boards.chip.chips import QemuEfuses

_WORD = struct.Struct("<I")


def make_efuses(layout: QemuEfuses, mac: bytes) -> bytes:
    """The file's content for a chip with this MAC address."""
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
