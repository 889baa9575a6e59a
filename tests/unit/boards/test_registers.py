"""Registers: identity and the SPI flash controller, as esptool reads them."""

from __future__ import annotations

import pytest

from fctry.boards.chip.chips import CHIPS, ChipKind, chip_named
from fctry.boards.chip.registers import Registers
from fctry.errors import InputError

MAC = bytes.fromhex("240ac4010203")
SPI_CMD_USR = 1 << 18


@pytest.fixture(params=CHIPS)
def chip(request: pytest.FixtureRequest) -> ChipKind:
    return CHIPS[request.param]


@pytest.fixture
def registers(chip: ChipKind) -> Registers:
    return Registers(chip, MAC, 4 << 20)


def run(registers: Registers, chip: ChipKind, opcode: int, data: int = 0, address: int = 0) -> int:
    """Run a flash command as esptool does. Returns the answer."""
    spi = chip.spi
    registers.write(spi.base + spi.usr2, 7 << 28 | opcode)
    registers.write(spi.base + 4, address << 8 if spi.address_bits_are_msb_first else address)
    registers.write(spi.base + spi.w0, data)
    registers.write(spi.base, SPI_CMD_USR)
    assert registers.read(spi.base) & SPI_CMD_USR == 0
    return registers.read(spi.base + spi.w0)


def test_mac_is_in_two_words(chip: ChipKind, registers: Registers) -> None:
    high, low = registers.read(chip.mac_register + 4), registers.read(chip.mac_register)
    assert (high & 0xFFFF).to_bytes(2, "big") + low.to_bytes(4, "big") == MAC


@pytest.mark.parametrize(
    ("size", "jedec_id"), [(1 << 20, 0x144020), (4 << 20, 0x164020), (16 << 20, 0x184020)]
)
def test_jedec_id_tells_the_size(size: int, jedec_id: int, chip: ChipKind) -> None:
    assert run(Registers(chip, MAC, size), chip, 0x9F) == jedec_id


def test_sfdp_has_its_signature(chip: ChipKind, registers: Registers) -> None:
    assert run(registers, chip, 0x5A).to_bytes(4, "little") == b"SFDP"
    assert run(registers, chip, 0x5A, address=0x10) == 0xFFFFFFFF


def test_unique_id_of_the_flash_is_read_in_words_behind_the_dummy_bits(chip: ChipKind) -> None:
    registers = Registers(chip, MAC, 4 << 20, b"\1\2\3\4\5\6\7\x08")
    for dummy_bits, word in ((32, 0x04030201), (64, 0x08070605)):
        registers.write(chip.spi.base + chip.spi.usr2 - 4, dummy_bits - 1)  # SPI_USER1_REG
        registers.write(chip.spi.base + chip.spi.usr2 + 8, 32 - 1)  # SPI_MISO_DLEN_REG
        assert run(registers, chip, 0x4B) == word
    registers.write(chip.spi.base + chip.spi.usr2 - 4, 32 - 1)
    registers.write(chip.spi.base + chip.spi.usr2 + 8, 64 - 1)  # all of it at once
    assert run(registers, chip, 0x4B) == 0x04030201
    assert registers.read(chip.spi.base + chip.spi.w0 + 4) == 0x08070605


def test_status_registers_keep_what_is_written(chip: ChipKind, registers: Registers) -> None:
    for number, (write, read) in enumerate([(0x01, 0x05), (0x31, 0x35), (0x11, 0x15)], 1):
        run(registers, chip, write, data=number)
        assert run(registers, chip, read) == number


def test_clock_divider_follows_the_baud_rate(chip: ChipKind, registers: Registers) -> None:
    registers.set_baud(115200)
    assert registers.read(chip.uart_clkdiv_register) == 0x15B


def test_unknown_chip_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(InputError) as caught:
        chip_named("esp8266")
    assert "esp32, esp32s3, esp32c3, esp32c6" in caught.value.hint
