"""The memory-mapped registers that a loader reads and writes, without I/O: plain words, and the SPI flash controller.

Source: ESP32 Technical Reference Manual, chapter "SPI Controller"; esptool 5.6.0 esptool/loader.py,
run_spiflash_command.
"""

from __future__ import annotations

from fctry.boards.chip.chips import ChipKind

_CMD_USR = 1 << 18  # SPI_CMD_REG: start a user-defined command; reads 0 when it is done
_OPCODE_MASK = 0xFF  # of SPI_USER2_REG
_WORD = 0xFFFFFFFF
_ADDR_OFFSET = 0x04

_XTAL_HZ = 40_000_000
_JEDEC_VENDOR, _JEDEC_TYPE = 0x20, 0x40  # XMC, as on many boards of Espressif

_RDID, _RDSFDP, _RDUID = 0x9F, 0x5A, 0x4B
_RDUID_DUMMY_BITS = (
    32  # before the first bit of the unique id. Source: Winbond W25Q32JV, "Read Unique ID Number (4Bh)"
)
_READ_STATUS = {0x05: 0, 0x35: 1, 0x15: 2}  # RDSR commands -> index of the status register
_WRITE_STATUS = {0x01: 0, 0x31: 1, 0x11: 2}
_SFDP_HEADER = b"SFDP\x06\x01\x00\xff"  # JESD216B, one parameter header; esptool looks at the signature


class Registers:
    """Words by address; what was never written is 0. `flash_id` is the flash chip's unique id, if it has one."""

    def __init__(self, chip: ChipKind, mac: bytes, flash_size_bytes: int, flash_id: bytes = b"") -> None:
        self._chip = chip
        self._words = dict(chip.registers)
        self._words[chip.mac_register] = int.from_bytes(mac[2:], "big")
        self._words[chip.mac_register + 4] = chip.mac_extension << 16 | int.from_bytes(mac[:2], "big")
        size_id = flash_size_bytes.bit_length() - 1
        self._jedec_id = size_id << 16 | _JEDEC_TYPE << 8 | _JEDEC_VENDOR
        self._flash_id = flash_id
        self._flash_status = [0, 0, 0]

    def set_baud(self, baud: int) -> None:
        """The UART's clock divider as the ROM sets it when it has measured the baud rate."""
        self._words[self._chip.uart_clkdiv_register] = _XTAL_HZ // baud

    def read(self, address: int) -> int:
        """The word at `address`."""
        return self._words.get(address, 0)

    def write(self, address: int, value: int, mask: int = _WORD) -> None:
        """Write the bits of `mask`. A write to the SPI controller's command register runs the command."""
        self._words[address] = self.read(address) & ~mask & _WORD | value & mask
        if address == self._chip.spi.base and self._words[address] & _CMD_USR:
            self._run_flash_command()
            self._words[address] &= ~_CMD_USR

    def _run_flash_command(self) -> None:
        spi = self._chip.spi
        data_register = spi.base + spi.w0
        opcode = self.read(spi.base + spi.usr2) & _OPCODE_MASK
        if opcode in _WRITE_STATUS:
            self._flash_status[_WRITE_STATUS[opcode]] = self.read(data_register) & 0xFF
        elif opcode in _READ_STATUS:
            self._words[data_register] = self._flash_status[_READ_STATUS[opcode]]
        elif opcode == _RDID:
            self._words[data_register] = self._jedec_id
        elif opcode == _RDSFDP:
            self._words[data_register] = self._sfdp_word()
        elif opcode == _RDUID:
            self._tell_flash_id()

    def _tell_flash_id(self) -> None:
        """The unique id in the data registers, as much of it as is asked for."""
        spi = self._chip.spi
        user1, miso_length = spi.base + spi.usr2 - 4, spi.base + spi.usr2 + 8
        skipped_bits = (self.read(user1) & 0xFF) + 1 - _RDUID_DUMMY_BITS
        size_bytes = (self.read(miso_length) + 1) // 8
        said = self._flash_id[skipped_bits // 8 :].ljust(size_bytes, b"\xff")
        for at in range(0, size_bytes, 4):
            self._words[spi.base + spi.w0 + at] = int.from_bytes(said[at : at + 4], "little")

    def _sfdp_word(self) -> int:
        spi = self._chip.spi
        address = self.read(spi.base + _ADDR_OFFSET) >> (8 if spi.address_bits_are_msb_first else 0)
        return int.from_bytes(_SFDP_HEADER[address : address + 4].ljust(4, b"\xff"), "little")
