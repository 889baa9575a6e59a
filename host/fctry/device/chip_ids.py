"""Numbers that no other chip has, read through esptool's object for a loader; empty where a chip has none.

MAC addresses come blank and twice, so they alone do not tell which chip it is.
"""

from __future__ import annotations

from typing import Any

# chips with OPTIONAL_UNIQUE_ID, 128 bits, in block 2 of their eFuses
# Source: esptool 5.3 espefuse/efuse_defs/*.yaml
_CHIPS = ("S2", "S3", "C3", "C5", "C6", "C61", "H2", "H4", "P4", "H21", "S31")
_BLOCK2 = 0x5C  # from the start of the eFuse controller: as EFUSE_BLOCK2_ADDR in esptool/targets/esp32s3.py
_RDUID, _RDUID_DUMMY_BITS = (
    0x4B,
    32,
)  # Source: Winbond W25Q32JV, "Read Unique ID Number (4Bh)"; most vendors have it
_WORDS = range(4)
_FLASH_WORDS = range(2)


def unique_id_of(esp: Any) -> str:
    """OPTIONAL_UNIQUE_ID of the chip."""
    if esp.CHIP_NAME.removeprefix("ESP32-") not in _CHIPS:
        return ""
    return _shown(esp.read_reg(esp.EFUSE_BASE + _BLOCK2 + 4 * word) for word in _WORDS)


def flash_id_of(esp: Any) -> str:
    """The unique id of the flash chip, which must be attached."""
    return _shown(
        esp.run_spiflash_command(_RDUID, read_bits=32, dummy_len=_RDUID_DUMMY_BITS + 32 * word)
        for word in _FLASH_WORDS
    )


def _shown(words: Any) -> str:
    data = b"".join(word.to_bytes(4, "little") for word in words)
    return "" if data.strip(b"\0") == b"" or data.strip(b"\xff") == b"" else data.hex()
