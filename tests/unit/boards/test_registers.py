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
