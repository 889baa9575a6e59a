"""Numbers that no other chip has, read through esptool's object for a loader; empty where a chip has none.

MAC addresses come blank and twice, so they alone do not tell which chip it is.
"""

from __future__ import annotations

from typing import Any

from fctry.errors import DeviceError

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
_USR_COMMAND, _USR_DUMMY, _USR_MISO = 1 << 31, 1 << 29, 1 << 28  # SPI_USER_REG
_COMMAND_LENGTH_SHIFT = 28  # SPI_USER2_REG: bits less one
_CMD_USR = 1 << 18  # SPI_CMD_REG: runs until it is 0


def unique_id_of(esp: Any) -> str:
    """OPTIONAL_UNIQUE_ID of the chip."""
    if esp.CHIP_NAME.removeprefix("ESP32-") not in _CHIPS:
        return ""
    return _shown(esp.read_reg(esp.EFUSE_BASE + _BLOCK2 + 4 * word) for word in _WORDS)


def flash_ids_of(esp: Any, times: int) -> list[str]:
    """The unique id of the flash chip, which must be attached, as it answers so many times. Raises DeviceError.

    esptool's `run_spiflash_command` sets each register anew for 32 bits; the controller reads up to 64 bytes at once.
    Source: esptool 5 loader.py, run_spiflash_command; ESP32 Technical Reference Manual, "SPI Controller", SPI_W0_REG.
    """
    command, first = esp.SPI_REG_BASE, esp.SPI_REG_BASE + esp.SPI_W0_OFFS
    user, user2 = (command + at for at in (esp.SPI_USR_OFFS, esp.SPI_USR2_OFFS))
    before = {register: esp.read_reg(register) for register in (user, user2)}
    esp.write_reg(command + esp.SPI_MISO_DLEN_OFFS, 32 * len(_FLASH_WORDS) - 1)
    esp.write_reg(command + esp.SPI_USR1_OFFS, _RDUID_DUMMY_BITS - 1)
    esp.write_reg(user, _USR_COMMAND | _USR_DUMMY | _USR_MISO)
    esp.write_reg(user2, 7 << _COMMAND_LENGTH_SHIFT | _RDUID)
    said = []
    for _ in range(times):
        esp.write_reg(command, _CMD_USR)
        _wait_until_done(esp)
        said.append(_shown(esp.read_reg(first + 4 * word) for word in _FLASH_WORDS))
    for register, value in before.items():
        esp.write_reg(register, value)
    return said


def _wait_until_done(esp: Any) -> None:
    for _ in range(10):  # it takes a microsecond, an answer of the chip a thousand
        if not esp.read_reg(esp.SPI_REG_BASE) & _CMD_USR:
            return
    raise DeviceError(
        "the chip's flash controller does not come to an end",
        hint="check the supply of the board, and the cable; then try again",
    )


def _shown(words: Any) -> str:
    data = b"".join(word.to_bytes(4, "little") for word in words)
    return "" if data.strip(b"\0") == b"" or data.strip(b"\xff") == b"" else data.hex()
