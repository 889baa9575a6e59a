"""The bus: each request, and what is refused."""

from __future__ import annotations

import os
import struct

import pytest

from fctry.boards.chip.nor_flash import NorFlash
from fctry.boards.cpu.bus import DONE, REFUSED, Bus, BusOp, BusRequest
from fctry.boards.faults import PowerCutError
from fctry.boards.reset import ResetReason

MAC = bytes.fromhex("240ac4010203")


@pytest.fixture
def bus(flash: NorFlash) -> Bus:
    return Bus(flash, MAC, ResetReason.PANIC, lambda number: number != 0)


def ask(bus: Bus, op: str, address: int = 0, length: int = 0, data: bytes = b"") -> bytes:
    request = BusRequest.unpack(struct.pack("<B3xII", ord(op), address, length))
    assert request.data_bytes == len(data)
    return bus.reply(request, data)


def test_info_is_mac_reset_reason_and_flash_size(bus: Bus, flash: NorFlash) -> None:
    assert ask(bus, "I") == DONE + struct.pack("<6sBBI", MAC, 4, 8, flash.size_bytes)


def test_flash_is_read_programmed_and_erased(bus: Bus, flash: NorFlash) -> None:
    assert ask(bus, "P", 4096, 3, b"abc") == DONE
    assert ask(bus, "R", 4096, 4) == DONE + b"abc\xff"
    assert ask(bus, "E", 4096, 4096) == DONE
    assert flash.read(4096, 4) == b"\xff" * 4


def test_levels_of_pins_are_read(bus: Bus) -> None:
    assert ask(bus, "G", 0) == DONE + b"\0"
    assert ask(bus, "G", 4) == DONE + b"\1"


@pytest.mark.parametrize(
    ("op", "address", "length", "data"),
    [
        ("R", 1 << 20, 1, b""),
        ("P", (1 << 20) - 1, 2, b"ab"),
        ("E", 100, 4096, b""),
        ("E", 0, 100, b""),
        ("X", 0, 0, b""),
    ],
)
def test_request_out_of_range_or_misaligned_is_refused(
    op: str, address: int, length: int, data: bytes, bus: Bus
) -> None:
    assert ask(bus, op, address, length, data) == REFUSED


def test_power_cut_passes_through_the_bus(bus: Bus, flash: NorFlash) -> None:
    flash.cut_power_at(1)
    with pytest.raises(PowerCutError):
        ask(bus, "P", 0, 4, b"\0\0\0\0")
    assert flash.read(0, 4) == b"\0\0\xff\xff"


def test_ops_are_the_letters_of_the_protocol() -> None:
    assert [chr(op) for op in BusOp] == ["I", "R", "P", "E", "G"]


def test_flash_file_that_is_cut_short_is_refused(flash: NorFlash) -> None:
    os.truncate(flash.path, 0)
    bus = Bus(flash, bytes(6), ResetReason.POWER_ON, lambda _: True)
    assert bus.reply(BusRequest(BusOp.READ, 0, 4)) == REFUSED
