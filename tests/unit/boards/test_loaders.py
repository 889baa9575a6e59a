"""The ROM's loader and the stub, frame by frame: what goes wrong, and what esptool (see tests/boards) does not show."""

from __future__ import annotations

import hashlib
import os
import struct
import tracemalloc
import zlib
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fctry.boards.chip.chips import CHIPS
from fctry.boards.chip.loader import Leave, Loader, Output, Reply
from fctry.boards.chip.loader_wire import Op, Status, checksum
from fctry.boards.chip.nor_flash import NorFlash, Wear
from fctry.boards.chip.registers import Registers
from fctry.boards.chip.rom_loader import STUB_GREETING, RomLoader
from fctry.boards.chip.stub_loader import StubLoader
from fctry.boards.faults import PowerCutError

MAC = bytes.fromhex("240ac4010203")
SECTOR = 4096


@dataclass
class Esptool:
    """The other end: packs requests, checks and unpacks answers."""

    loader: Loader
    outputs: list[Output] = field(default_factory=list)

    def ask(self, op: int, body: bytes = b"", check: int = 0) -> list[Output]:
        self.outputs = self.loader.receive(struct.pack("<BBHI", 0, op, len(body), check) + body)
        return self.outputs

    def answer(self, op: int, body: bytes = b"", check: int = 0) -> tuple[int, bytes, int]:
        """Value, body and error of the answer."""
        first = self.ask(op, body, check)[0]
        assert isinstance(first, Reply)
        direction, answered, size, value = struct.unpack_from("<BBHI", first.payload)
        assert (direction, answered, size) == (1, op, len(first.payload) - 8)
        content = first.payload[8:]
        status = content[-self.loader.STATUS_BYTES :]
        assert status[0] == bool(status[1])
        return value, content[: -self.loader.STATUS_BYTES], status[1]

    def error(self, op: int, body: bytes = b"", check: int = 0) -> int:
        return self.answer(op, body, check)[2]

    def words(self, op: int, *words: int) -> int:
        return self.error(op, struct.pack(f"<{len(words)}I", *words))

    def data(self, op: int, sequence: int, data: bytes, check: int | None = None) -> int:
        header = struct.pack("<IIII", len(data), sequence, 0, 0)
        return self.error(op, header + data, checksum(data) if check is None else check)


@pytest.fixture(params=["rom", "stub"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def make_loader(kind: str, flash: NorFlash, chip: str = "esp32") -> Esptool:
    registers = Registers(CHIPS[chip], MAC, flash.size_bytes)
    return Esptool(
        StubLoader(registers, flash) if kind == "stub" else RomLoader(CHIPS[chip], registers, flash)
    )


@pytest.fixture
def tool(kind: str, flash: NorFlash) -> Esptool:
    return make_loader(kind, flash)


@pytest.fixture
def rom(flash: NorFlash) -> Esptool:
    return make_loader("rom", flash)


@pytest.fixture
def stub(flash: NorFlash) -> Esptool:
    return make_loader("stub", flash)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(frames=st.lists(st.binary(max_size=40), max_size=10))
def test_loader_survives_any_frames(tool: Esptool, frames: list[bytes]) -> None:
    for frame in frames:
        tool.loader.receive(frame)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(op=st.sampled_from(Op), body=st.binary(max_size=40), check=st.integers(0, 255))
def test_loader_answers_any_body_of_any_command(tool: Esptool, op: Op, body: bytes, check: int) -> None:
    tool.ask(op, body, check)


def test_sync_is_answered_eight_times(tool: Esptool, kind: str) -> None:
    outputs = tool.ask(Op.SYNC, b"\x07\x07\x12\x20" + b"\x55" * 32)
    assert len(outputs) == 8
    assert len(set(outputs)) == 1
    value, _, _ = tool.answer(Op.SYNC)
    assert bool(value) == (kind == "rom")  # by this esptool knows the stub


def test_unknown_command_is_refused(tool: Esptool, kind: str) -> None:
    expected = Status.INVALID_MESSAGE if kind == "rom" else Status.STUB_INVALID_COMMAND
    assert tool.error(0x77) == expected


def test_registers_are_read_and_written_under_a_mask(tool: Esptool) -> None:
    assert tool.words(Op.WRITE_REG, 0x3FF00000, 0x12345678, 0xFFFFFFFF, 0) == 0
    assert tool.words(Op.WRITE_REG, 0x3FF00000, 0xFFFFFFFF, 0x0000FF00, 0) == 0
    assert tool.answer(Op.READ_REG, struct.pack("<I", 0x3FF00000))[0] == 0x1234FF78
    assert tool.answer(Op.READ_REG, struct.pack("<I", 0x40001000))[0] == 0x00F01D83


@pytest.mark.parametrize("chip", [name for name, chip in CHIPS.items() if chip.has_security_info])
def test_security_info_names_the_chip(chip: str, flash: NorFlash) -> None:
    _, body, error = make_loader("rom", flash, chip).answer(Op.GET_SECURITY_INFO)
    assert error == 0
    assert struct.unpack("<IB7BII", body)[-2] == CHIPS[chip].image_chip_id


def test_security_info_is_unknown_to_the_esp32(rom: Esptool) -> None:
    assert rom.error(Op.GET_SECURITY_INFO) == Status.INVALID_MESSAGE


def test_program_in_ram_is_taken_for_the_stub_if_it_was_loaded(rom: Esptool) -> None:
    assert rom.words(Op.MEM_END, 0, 0x4009F000) == Status.FAILED_TO_ACT
    assert rom.words(Op.MEM_BEGIN, 16, 1, 0x1800, 0x4009F000) == 0
    assert rom.data(Op.MEM_DATA, 0, bytes(16)) == 0
    assert rom.words(Op.MEM_END, 0, 0x400A0000) == Status.FAILED_TO_ACT
    assert rom.words(Op.MEM_END, 1, 0) == 0
    assert rom.outputs[1:] == []
    assert rom.words(Op.MEM_END, 0, 0x4009F008) == 0
    assert rom.outputs[1:] == [Reply(STUB_GREETING), Leave.FOR_STUB]


@pytest.mark.parametrize(("what", "leave"), [(0, Leave.FOR_DOWNLOAD), (1, Leave.FOR_APPLICATION)])
def test_flash_end_of_the_rom_leaves_the_loader(what: int, leave: Leave, rom: Esptool) -> None:
    rom.words(Op.FLASH_BEGIN, 0, 0, 0x400, 0)
    assert rom.words(Op.FLASH_END, what) == 0
    assert rom.outputs[1:] == [leave]


def test_flash_end_of_the_stub_leaves_it_only_to_restart(stub: Esptool) -> None:
    stub.words(Op.FLASH_BEGIN, 0, 0, 0x4000, 0)
    assert stub.words(Op.FLASH_END, 1) == 0
    assert stub.outputs[1:] == []
    assert stub.words(Op.FLASH_END, 0) == 0
    assert stub.outputs[1:] == [Leave.FOR_DOWNLOAD]
    assert stub.ask(Op.RUN_USER_CODE) == [Leave.FOR_APPLICATION]


@pytest.mark.parametrize("is_compressed", [False, True])
def test_write_erases_its_sectors_and_no_other(
    kind: str, tool: Esptool, flash: NorFlash, is_compressed: bool
) -> None:
    flash.program(0, bytes(5 * SECTOR))
    begin, block_op = (
        (Op.FLASH_DEFL_BEGIN, Op.FLASH_DEFL_DATA) if is_compressed else (Op.FLASH_BEGIN, Op.FLASH_DATA)
    )
    image = bytes(range(256)) * 17  # 4352 bytes: one sector and a bit
    stream = zlib.compress(image) if is_compressed else image
    blocks = [stream[start : start + 1024] for start in range(0, len(stream), 1024)]
    blocks[-1] = blocks[-1] if is_compressed else blocks[-1].ljust(1024, b"\xff")
    assert tool.words(begin, len(image), len(blocks), 1024, SECTOR) == 0
    for sequence, block in enumerate(blocks):
        assert tool.data(block_op, sequence, block) == 0
        assert tool.data(block_op, sequence, block) == 0  # esptool tries again when it got no answer
    assert flash.read(SECTOR, len(image)) == image
    assert flash.read(SECTOR + len(image), 2 * SECTOR - len(image)) == b"\xff" * (2 * SECTOR - len(image))
    assert [flash.wear(sector * SECTOR).erases for sector in range(5)] == [0, 1, 1, 0, 0]
    assert flash.read(0, SECTOR) == bytes(SECTOR)
    assert flash.read(3 * SECTOR, 2 * SECTOR) == bytes(2 * SECTOR)


def test_data_with_a_wrong_checksum_is_refused_and_not_written(
    kind: str, tool: Esptool, flash: NorFlash
) -> None:
    tool.words(Op.FLASH_BEGIN, 16, 1, 16, 0)
    expected = Status.INVALID_CRC if kind == "rom" else Status.STUB_BAD_DATA_CHECKSUM
    assert tool.data(Op.FLASH_DATA, 0, bytes(16), check=0) == expected
    assert flash.read(0, 16) == b"\xff" * 16


def test_data_of_another_length_than_announced_is_refused(kind: str, tool: Esptool) -> None:
    tool.words(Op.FLASH_BEGIN, 16, 1, 16, 0)
    body = struct.pack("<IIII", 99, 0, 0, 0) + bytes(16)
    expected = Status.INVALID_MESSAGE if kind == "rom" else Status.STUB_BAD_DATA_LENGTH
    assert tool.error(Op.FLASH_DATA, body, checksum(bytes(16))) == expected


def test_data_without_a_begin_is_refused(kind: str, tool: Esptool) -> None:
    expected = Status.FAILED_TO_ACT if kind == "rom" else Status.STUB_NOT_IN_FLASH_MODE
    assert tool.data(Op.FLASH_DATA, 0, bytes(16)) == expected


def test_damaged_compressed_data_is_refused(kind: str, tool: Esptool) -> None:
    tool.words(Op.FLASH_DEFL_BEGIN, 4096, 1, 1024, 0)
    expected = Status.DEFLATE_ERROR if kind == "rom" else Status.STUB_INFLATE_ERROR
    assert tool.data(Op.FLASH_DEFL_DATA, 0, b"no zlib stream") == expected


def test_compressed_data_that_is_too_long_or_too_short_is_refused_by_the_stub(stub: Esptool) -> None:
    stub.words(Op.FLASH_DEFL_BEGIN, 100, 1, 1024, 0)
    assert stub.data(Op.FLASH_DEFL_DATA, 0, zlib.compress(bytes(101))) == Status.STUB_TOO_MUCH_DATA
    stub.words(Op.FLASH_DEFL_BEGIN, 100, 1, 1024, 0)
    assert stub.data(Op.FLASH_DEFL_DATA, 0, zlib.compress(bytes(99))) == 0
    assert stub.words(Op.FLASH_DEFL_END, 1) == Status.STUB_NOT_ENOUGH_DATA


@pytest.mark.parametrize("op", [Op.FLASH_BEGIN, Op.FLASH_DEFL_BEGIN])
def test_write_beyond_the_chip_is_refused_before_anything_is_erased(
    op: Op, kind: str, tool: Esptool, flash: NorFlash
) -> None:
    expected = Status.FAILED_TO_ACT if kind == "rom" else Status.STUB_FAILED_SPI_OP
    assert tool.words(op, 2 * SECTOR, 8, 1024, flash.size_bytes - SECTOR) == expected
    assert flash.wear(flash.size_bytes - SECTOR) == Wear(0, 0)


def test_md5_is_text_from_the_rom_and_bytes_from_the_stub(kind: str, tool: Esptool, flash: NorFlash) -> None:
    flash.program(1000, b"content")
    digest = hashlib.md5(flash.read(1000, 7))
    _, body, _ = tool.answer(Op.SPI_FLASH_MD5, struct.pack("<IIII", 1000, 7, 0, 0))
    assert body == (digest.hexdigest().encode() if kind == "rom" else digest.digest())


def test_slow_read_is_padded_and_limited_to_64_bytes(rom: Esptool, flash: NorFlash) -> None:
    flash.program(10, b"content")
    _, body, _ = rom.answer(Op.READ_FLASH_SLOW, struct.pack("<II", 10, 7))
    assert body == b"content" + bytes(57)
    assert rom.words(Op.READ_FLASH_SLOW, 10, 65) == Status.INVALID_MESSAGE


def test_fast_read_waits_for_acknowledgements(stub: Esptool, flash: NorFlash) -> None:
    flash.program(0, bytes(range(256)))
    outputs = stub.ask(Op.READ_FLASH, struct.pack("<IIII", 0, 250, 64, 2))
    blocks = [output.payload for output in outputs[1:] if isinstance(output, Reply)]
    assert blocks == [bytes(range(64)), bytes(range(64, 128))]
    assert stub.loader.receive(struct.pack("<I", 64)) == [Reply(bytes(range(128, 192)))]
    assert stub.loader.receive(b"noise") == []
    assert stub.loader.receive(struct.pack("<I", 192)) == [Reply(bytes(range(192, 250)))]
    assert stub.loader.receive(struct.pack("<I", 250)) == [Reply(hashlib.md5(bytes(range(250))).digest())]
    assert stub.error(Op.SPI_ATTACH, bytes(4)) == 0  # requests are requests again


def test_fast_read_is_bounded_whatever_is_said_to_be_in_flight(stub: Esptool, flash: NorFlash) -> None:
    assert flash.size_bytes > 0x28000
    outputs = stub.ask(Op.READ_FLASH, struct.pack("<IIII", 0, 0x28000, 1, 0xFFFFFFFF))
    assert len(outputs) == 1 + 0x10000
    received = 0x10000
    while len(frames := stub.loader.receive(struct.pack("<I", received))) > 1:
        received += len(frames)
        assert len(frames) <= 0x10000
    assert received == 0x28000
    assert stub.error(Op.SPI_ATTACH, bytes(4)) == 0


def test_compressed_write_is_bounded_by_what_was_announced(tool: Esptool) -> None:
    bomb = zlib.compress(bytes(60 << 20))
    tool.words(Op.FLASH_DEFL_BEGIN, SECTOR, 1, len(bomb), 0)
    tracemalloc.start()
    try:
        assert tool.data(Op.FLASH_DEFL_DATA, 0, bomb) != 0
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


def test_segments_of_a_program_in_ram_are_bounded(rom: Esptool) -> None:
    answers = [rom.words(Op.MEM_BEGIN, 16, 1, 16, 0x40000000 + 16 * number) for number in range(1000)]
    assert answers[:64] == [0] * 64
    assert set(answers[64:]) == {Status.FAILED_TO_ACT}


def test_fast_read_of_nothing_is_only_a_digest(stub: Esptool) -> None:
    outputs = stub.ask(Op.READ_FLASH, struct.pack("<IIII", 0, 0, 64, 2))
    assert outputs[1:] == [Reply(hashlib.md5(b"").digest())]


@pytest.mark.parametrize(("block", "in_flight"), [(0, 1), (64, 0)])
def test_fast_read_without_blocks_is_refused(block: int, in_flight: int, stub: Esptool) -> None:
    assert stub.words(Op.READ_FLASH, 0, 100, block, in_flight) == Status.STUB_FAILED_SPI_OP


def test_erase_region_takes_whole_sectors_only(stub: Esptool, flash: NorFlash) -> None:
    flash.program(0, bytes(3 * SECTOR))
    assert stub.words(Op.ERASE_REGION, 100, SECTOR) == Status.STUB_FAILED_SPI_OP
    assert stub.words(Op.ERASE_REGION, SECTOR, SECTOR) == 0
    assert flash.read(0, 3 * SECTOR) == bytes(SECTOR) + b"\xff" * SECTOR + bytes(SECTOR)
    assert stub.error(Op.ERASE_FLASH) == 0
    assert flash.read(0, flash.size_bytes) == b"\xff" * flash.size_bytes


def test_power_cut_passes_through_the_loader(tool: Esptool, flash: NorFlash) -> None:
    def write() -> None:
        tool.words(Op.FLASH_BEGIN, 16, 1, 16, 0)  # here the ROM erases
        tool.data(Op.FLASH_DATA, 0, bytes(16))  # here the stub does

    flash.cut_power_at(1)
    with pytest.raises(PowerCutError):
        write()


def test_flash_file_that_is_cut_short_is_a_failure_that_esptool_is_told(
    kind: str, tool: Esptool, flash: NorFlash
) -> None:
    os.truncate(flash.path, 0)
    expected = Status.FAILED_TO_ACT if kind == "rom" else Status.STUB_FAILED_SPI_OP
    assert tool.words(Op.SPI_FLASH_MD5, 0, 16, 0, 0) == expected
