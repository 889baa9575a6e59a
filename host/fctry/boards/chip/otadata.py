"""otadata: the entries, each in a sector of its own, by which firmware tells the boot loader what to start.

Source: ESP-IDF v5.5.5 components/bootloader_support/include/esp_flash_partitions.h (`esp_ota_select_entry_t`) and
src/bootloader_common_loader.c; v5.3 to v6.1 are the same.
"""

from __future__ import annotations

import binascii
import struct
from dataclasses import dataclass

ENTRY = struct.Struct("<I20sII")  # ota_seq, seq_label, ota_state, crc
ENTRIES = 2
UNSET = 0xFFFFFFFF
VALID, INVALID, ABORTED = 2, 3, 4  # esp_ota_img_states_t


@dataclass(frozen=True)
class OtaSelect:
    """One entry. Slot number (`sequence` - 1) modulo the number of slots is meant."""

    sequence: int
    state: int
    crc: int

    @classmethod
    def unpack(cls, data: bytes) -> OtaSelect:
        """The entry in these 32 bytes."""
        sequence, _label, state, crc = ENTRY.unpack(data)
        return cls(sequence, state, crc)

    def pack(self) -> bytes:
        """The entry as it is in flash."""
        return ENTRY.pack(self.sequence, b"\xff" * 20, self.state, self.crc)

    @property
    def is_initial(self) -> bool:
        """Whether nobody has written a sequence here."""
        return self.sequence == UNSET or self.crc != ota_select_crc(self.sequence)

    @property
    def is_invalid(self) -> bool:
        """Whether it selects nothing by what it says, whatever its CRC."""
        return self.sequence == UNSET or self.state in (INVALID, ABORTED)

    def slot(self, count: int) -> int:
        """The slot that it selects of so many."""
        return (self.sequence - 1 & 0xFFFFFFFF) % count


def ota_select_crc(sequence: int) -> int:
    """CRC of an entry: over the sequence number alone."""
    return binascii.crc32(struct.pack("<I", sequence), 0xFFFFFFFF)
