"""Fault plans: how they are read, and what each part of a board makes of its faults."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fctry.boards.chip.chips import CHIPS
from fctry.boards.chip.flash_faults import LeakySector, PowerCut, WornSector
from fctry.boards.chip.flash_times import W25Q512JV
from fctry.boards.chip.loader_wire import Op, Status
from fctry.boards.chip.nor_flash import NorFlash
from fctry.boards.chip.registers import Registers
from fctry.boards.chip.rom_loader import RomLoader
from fctry.boards.chip.start_faults import BootLoop, Silent, StartFaults
from fctry.boards.chip.tear import Tear
from fctry.boards.fault_plan import FAULTS, Level, StuckBoot, WrongMac, parse_fault, read_plan
from fctry.boards.faults import PowerCutError
from fctry.boards.port.line_faults import Delay, Doubling, FaultyLine, Flip, Loss, PowerLoss, To, Vanish
from fctry.errors import InputError
from tests.unit.boards.test_loaders import Esptool

MIB = 1 << 20
SECTOR = 4096


def test_plan_is_read_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "plan.txt"
    path.write_text(
        "# torn, and a byte lost\n\npower-cut erase=3 tear=zeroing seed=7  # here\ndrop byte=0x78 to=host\n"
        "stuck-boot level=low\nmac\n"
    )
    assert read_plan(path) == (
        PowerCut(erase=3, tear=Tear.ZEROING, seed=7),
        Loss(byte=120, to=To.HOST),
        StuckBoot(Level.LOW),
        WrongMac(bytes(6)),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("frob", "no fault is called 'frob'"),
        ("power-cut", "counts from 1"),
        ("power-cut erase=1 program=1", "one of operation, erase"),
        ("power-cut erase=x", "'x'"),
        ("power-cut erase=1 tear=none", "'none'"),
        ("drop", "drop needs byte"),
        ("drop byte=0", "byte is 1 or more"),
        ("drop byte=1 byte=2", "there twice"),
        ("drop byte=1 colour=red", "'colour=red' is not for"),
        ("delay byte=1 seconds=nan", "seconds is 0 or more"),
        ("flip byte=1 mask=0", "bits of one byte"),
        ("worn sector=5", "multiple of 0x1000"),
        ("stuck-boot", "needs level"),
        ("wrong-chip chip=esp8266", "esp32c3"),
        ("smaller-flash size=3MB", "size is one of"),
        ("mac address=24:0a", "24:0a:c4"),
    ],
)
def test_bad_plan_names_file_line_and_remedy(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "plan.txt"
    path.write_text(f"silent\n{text}\n")
    with pytest.raises(InputError) as caught:
        read_plan(path)
    assert message in caught.value.message
    assert (caught.value.file, caught.value.line) == (path, 2)
    assert caught.value.hint


def test_documentation_has_each_fault_and_each_of_its_settings() -> None:
    text = (Path(__file__).parents[3] / "docs" / "boards.md").read_text()
    rows = {line.split("`")[1].split()[0]: line for line in text.splitlines() if line.startswith("| `")}
    for name, kind in FAULTS.items():
        for one in fields(kind):
            assert f"{one.name}=" in rows[name], f"{name}: {one.name}"


def _pieces(faults: list[Loss], *parts: bytes) -> list[object]:
    line = FaultyLine(faults)
    return [piece for part in parts for piece in line.pass_on(part)]


def test_line_with_faults_does_to_bytes_what_they_say() -> None:
    assert _pieces([Loss(2)], b"abc") == [b"a", b"c"]
    assert _pieces([Flip(2, count=2, mask=0x20)], b"ab", b"cd") == [b"a", b"B", b"C", b"d"]
    assert _pieces([Doubling(1, count=2)], b"abc") == [b"aabb", b"c"]
    late, gone, dead = Delay(2, count=2), Vanish(2, count=2), PowerLoss(2)
    assert _pieces([late], b"ab", b"cd") == [b"a", late, b"b", b"c", b"d"]
    assert _pieces([gone], b"abcd") == [b"a", gone, b"d"]
    assert _pieces([dead], b"abc") == [b"a", dead, b"c"]


@given(st.lists(st.binary(max_size=5), max_size=8), st.integers(1, 20), st.integers(1, 9))
def test_line_loses_the_same_bytes_however_they_come(parts: list[bytes], byte: int, count: int) -> None:
    whole = b"".join(parts)
    pieces = [piece for piece in _pieces([Loss(byte, count)], *parts) if isinstance(piece, bytes)]
    assert b"".join(pieces) == whole[: byte - 1] + whole[byte - 1 + count :]


def test_flash_is_cut_at_the_nth_of_a_kind(tmp_path: Path) -> None:
    flash = NorFlash(tmp_path / "flash.bin", MIB, faults=[PowerCut(erase=2), PowerCut(program=2)])
    flash.program(0, b"a")
    flash.erase(0, SECTOR)
    with pytest.raises(PowerCutError):
        flash.program(0, bytes(2))
    assert flash.read(0, 2) == b"\0\xff"
    with pytest.raises(PowerCutError):
        flash.erase(0, SECTOR)
    flash.erase(0, SECTOR)
    flash.close()


def test_worn_and_leaky_sectors_do_not_hold_what_they_should(tmp_path: Path) -> None:
    faults = [WornSector(0), LeakySector(SECTOR, times=1)]
    flash = NorFlash(tmp_path / "flash.bin", MIB, faults=faults)
    for sector in (0, SECTOR, 2 * SECTOR):
        flash.program(sector, bytes(8))
    leaked = flash.read(SECTOR, 8)
    assert sum(byte.bit_count() for byte in leaked) == 1
    flash.program(SECTOR, bytes(8))
    assert flash.read(SECTOR, 8) == bytes(8)  # once only
    flash.erase(0, 3 * SECTOR)
    assert [flash.read(sector, 8) for sector in (0, SECTOR, 2 * SECTOR)] == [
        bytes(8),
        b"\xff" * 8,
        b"\xff" * 8,
    ]
    flash.close()


def test_times_of_the_flash_are_those_that_the_chip_tells_of_itself() -> None:
    """DWORDs 10 and 11 of the Basic Flash Parameter Table, which a JEDEC formula turns into seconds."""
    erase, program = 0x00A60236, 0xE214EA82
    units_s = (0.001, 0.016, 0.128, 1.0)
    sector, block = (
        (erase >> 4 & 0x7F),
        (erase >> 18 & 0x7F),
    )  # erase types 1 (20h, 4 KiB) and 3 (D8h, 64 KiB)
    seconds = [((one & 0x1F) + 1) * units_s[one >> 5] for one in (sector, block)]
    page = program >> 8 & 0x3F
    seconds.append(((page & 0x1F) + 1) * (64e-6 if page >> 5 else 8e-6))
    times = W25Q512JV
    assert seconds == pytest.approx([times.sector_erase_s, times.block_erase_s, times.page_program_s])


def test_flash_takes_the_time_of_its_chip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("fctry.boards.chip.nor_flash.time.sleep", slept.append)
    flash = NorFlash(tmp_path / "flash.bin", MIB, times=W25Q512JV)
    flash.program(0, bytes(600))
    assert slept == [704e-6] * 3
    slept.clear()
    flash.erase(0xF000, 0x12000)  # a sector, a block, a sector
    assert sum(slept) == pytest.approx(0.064 + 0.160 + 0.064)
    flash.close()


def test_starts_are_counted() -> None:
    faults = StartFaults([Silent(start=2, times=2), BootLoop(start=3)])
    seen = []
    for _ in range(5):
        faults.next()
        seen.append((faults.has(Silent), faults.has(BootLoop)))
    assert seen == [(False, False), (True, False), (True, True), (False, True), (False, True)]


def test_chip_in_secure_download_mode_writes_and_tells_nothing(flash: NorFlash) -> None:
    chip = CHIPS["esp32c3"]
    rom = Esptool(RomLoader(chip, Registers(chip, bytes(6), MIB), flash, is_secure=True))
    _, info, error = rom.answer(Op.GET_SECURITY_INFO)
    assert (info[0], error) == (1 << 2, 0)
    refused = {Op.READ_REG: 1, Op.WRITE_REG: 4, Op.MEM_BEGIN: 4, Op.SPI_FLASH_MD5: 4, Op.READ_FLASH_SLOW: 2}
    for op, words in refused.items():
        assert rom.words(op, *[0] * words) == Status.INVALID_MESSAGE
    flash.program(0, b"old")
    assert rom.words(Op.FLASH_BEGIN, SECTOR, 1, 4, 0) == 0
    assert rom.data(Op.FLASH_DATA, 0, b"new!") == 0
    assert flash.read(0, 5) == b"new!\xff"


def test_fault_that_is_given_says_how_it_is_written() -> None:
    with pytest.raises(InputError) as caught:
        parse_fault("power-cut erase=1 tear=nothing")
    assert "[tear=half|zeroing|erasing|word|nibble]" in str(caught.value.hint)
