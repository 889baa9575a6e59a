"""NOR flash: its rules against a model, its file, its wear and its power cuts."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from fctry.boards.chip.nor_flash import PAGE_BYTES, SECTOR_BYTES, NorFlash, Wear
from fctry.boards.chip.tear import Tear
from fctry.boards.faults import AddressError, FlashFileError, PowerCutError
from fctry.errors import InputError

SIZE = 1 << 20
USED = 4 * SECTOR_BYTES  # the tests stay in here


class NorRules(RuleBasedStateMachine):
    """Compares the chip with a bytearray, operation by operation, power cuts included."""

    folder: Path

    @initialize()
    def start(self) -> None:
        path = self.folder / "flash.bin"
        path.unlink(missing_ok=True)
        self.flash = NorFlash(path, SIZE)
        self.model = bytearray(b"\xff" * USED)
        self.erases = [0] * (USED // SECTOR_BYTES)
        self.programmed = [0] * (USED // SECTOR_BYTES)

    @rule(address=st.integers(0, USED - 1), data=st.binary(max_size=3 * PAGE_BYTES))
    def program(self, address: int, data: bytes) -> None:
        data = data[: USED - address]
        self.flash.program(address, data)
        for offset, byte in enumerate(data, address):
            self.model[offset] &= byte
            self.programmed[offset // SECTOR_BYTES] += 1

    @rule(first=st.integers(0, 3), count=st.integers(0, 4))
    def erase(self, first: int, count: int) -> None:
        sectors = range(first, min(first + count, USED // SECTOR_BYTES))
        self.flash.erase(first * SECTOR_BYTES, len(sectors) * SECTOR_BYTES)
        for sector in sectors:
            start = sector * SECTOR_BYTES
            self.model[start : start + SECTOR_BYTES] = b"\xff" * SECTOR_BYTES
            self.erases[sector] += 1

    @rule(sector=st.integers(0, 3))
    def cut_erase(self, sector: int) -> None:
        start = sector * SECTOR_BYTES
        self.flash.cut_power_at(1)
        with pytest.raises(PowerCutError):
            self.flash.erase(start, SECTOR_BYTES)
        self.model[start : start + SECTOR_BYTES // 2] = b"\xff" * (SECTOR_BYTES // 2)
        self.erases[sector] += 1

    @rule()
    def reopen(self) -> None:
        self.flash.close()
        self.flash = NorFlash(self.folder / "flash.bin", SIZE)
        self.erases = [0] * len(self.erases)
        self.programmed = [0] * len(self.programmed)

    @invariant()
    def contents_and_wear_are_those_of_the_model(self) -> None:
        assert self.flash.read(0, USED) == self.model
        for sector, (erases, programmed) in enumerate(zip(self.erases, self.programmed, strict=True)):
            assert self.flash.wear(sector * SECTOR_BYTES + 17) == Wear(erases, programmed)

    def teardown(self) -> None:
        if hasattr(self, "flash"):
            self.flash.close()


def test_flash_keeps_the_rules_of_nor(tmp_path: Path) -> None:
    class Machine(NorRules):
        folder = tmp_path

    run_state_machine_as_test(
        Machine, settings=settings(max_examples=40, stateful_step_count=20, deadline=None)
    )


def test_new_file_is_erased_and_of_the_chips_size(tmp_path: Path) -> None:
    flash = NorFlash(tmp_path / "new.bin", SIZE)
    flash.close()
    assert (tmp_path / "new.bin").read_bytes() == b"\xff" * SIZE


def test_state_survives_a_restart(tmp_path: Path) -> None:
    flash = NorFlash(tmp_path / "flash.bin", SIZE)
    flash.program(100, b"kept")
    flash.close()
    assert (tmp_path / "flash.bin").read_bytes()[100:104] == b"kept"
    again = NorFlash(tmp_path / "flash.bin", SIZE)
    assert again.read(100, 4) == b"kept"
    again.close()


def test_file_of_another_size_is_refused_and_untouched(tmp_path: Path) -> None:
    path = tmp_path / "flash.bin"
    path.write_bytes(b"something else")
    with pytest.raises(InputError, match="14 bytes"):
        NorFlash(path, SIZE)
    assert path.read_bytes() == b"something else"


def test_file_whose_making_was_killed_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "flash.bin"
    path.write_bytes(b"\xff" * 5000)
    flash = NorFlash(path, SIZE)
    assert flash.read(0, SIZE) == b"\xff" * SIZE
    flash.close()


def test_file_of_another_board_is_refused(flash: NorFlash) -> None:
    with pytest.raises(InputError, match="another board"):
        NorFlash(flash.path, SIZE)


@pytest.mark.parametrize("size", [0, 4096, 3 << 20, 32 << 20])
def test_size_that_no_chip_has_is_refused(size: int, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no flash chip"):
        NorFlash(tmp_path / "flash.bin", size)


def test_file_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot open"):
        NorFlash(tmp_path / "absent" / "flash.bin", SIZE)


@pytest.mark.parametrize(("address", "size"), [(SIZE, 1), (-1, 1), (0, SIZE + 1), (0, -1)])
def test_range_outside_of_the_chip_is_refused(address: int, size: int, flash: NorFlash) -> None:
    with pytest.raises(AddressError, match="outside"):
        flash.read(address, size)


@pytest.mark.parametrize(("address", "size"), [(1, 4096), (4096, 100)])
def test_erase_of_less_than_sectors_is_refused(address: int, size: int, flash: NorFlash) -> None:
    with pytest.raises(AddressError, match="sectors"):
        flash.erase(address, size)
    assert flash.wear(0) == flash.wear(4096) == Wear(0, 0)


@given(operation=st.integers(1, 4))
def test_power_cut_leaves_that_operation_half_done_and_the_next_ones_undone(
    operation: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    flash = NorFlash(tmp_path_factory.mktemp("cut") / "flash.bin", SIZE)
    flash.cut_power_at(operation)
    with pytest.raises(PowerCutError):
        flash.program(0, bytes(4 * PAGE_BYTES))
    done = (operation - 1) * PAGE_BYTES + PAGE_BYTES // 2
    assert flash.read(0, 4 * PAGE_BYTES) == bytes(done) + b"\xff" * (4 * PAGE_BYTES - done)
    flash.program(0, bytes(4 * PAGE_BYTES))  # the power is back, once and for all
    flash.close()


def test_program_counts_an_operation_per_page(flash: NorFlash) -> None:
    flash.cut_power_at(2)
    with pytest.raises(PowerCutError) as caught:
        flash.program(PAGE_BYTES - 2, b"\0\0\0\0")
    assert caught.value.offset == PAGE_BYTES
    assert flash.read(PAGE_BYTES - 2, 4) == b"\0\0\0\xff"


def test_power_cut_can_be_taken_back(flash: NorFlash) -> None:
    flash.cut_power_at(1)
    flash.cut_power_at(None)
    flash.erase(0, 4096)
    with pytest.raises(ValueError, match="from 1"):
        flash.cut_power_at(0)


@pytest.fixture
def disk_of_100_kb() -> Iterator[None]:
    """Files of this process end there, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("was_there", [False, True])
def test_full_disk_leaves_no_half_flash_file(was_there: bool, tmp_path: Path, disk_of_100_kb: None) -> None:
    path = tmp_path / "flash.bin"
    if was_there:
        path.touch()
    with pytest.raises(InputError, match="cannot make the flash file") as caught:
        NorFlash(path, SIZE)
    assert "space" in caught.value.hint
    assert path.exists() == was_there
    assert not was_there or path.read_bytes() == b""


@pytest.mark.parametrize("kind", ["device", "fifo"])
def test_flash_file_that_is_no_file_is_refused(kind: str, tmp_path: Path) -> None:
    path = Path(os.devnull)
    if kind == "fifo":
        path = tmp_path / "fifo"
        os.mkfifo(path)
    with pytest.raises(InputError, match="not a file"):
        NorFlash(path, SIZE)


def test_flash_file_that_is_cut_short_meanwhile_is_an_error_of_its_own(flash: NorFlash) -> None:
    os.truncate(flash.path, SECTOR_BYTES)
    assert flash.read(0, SECTOR_BYTES) == b"\xff" * SECTOR_BYTES
    with pytest.raises(FlashFileError, match="cut short"):
        flash.read(SECTOR_BYTES, 1)


def test_flash_file_on_a_full_disk_is_an_error_of_its_own(flash: NorFlash, disk_of_100_kb: None) -> None:
    flash.program(0, b"kept")
    with pytest.raises(FlashFileError, match="cannot write"):
        flash.program(200_000, b"lost")
    assert flash.read(0, 4) == b"kept"
    assert flash.read(200_000, 4) == b"\xff" * 4


def torn(flash: NorFlash, tear: Tear, seed: int, before: bytes, do: Callable[[], None]) -> bytes:
    """What an operation leaves of the first sector, where `before` was, when the power is cut in it."""
    flash.erase(0, SECTOR_BYTES)
    flash.program(0, before)
    flash.cut_power_at(1, tear, seed)
    with pytest.raises(PowerCutError, match=rf"{tear.value}, seed {seed}"):
        do()
    return flash.read(0, SECTOR_BYTES)


OLD = bytes(range(1, 256)) * 16 + b"\xaa" * 16
ERASES, PROGRAMS = (Tear.ZEROING, Tear.ERASING), (Tear.WORD, Tear.NIBBLE)
SEEDS = range(50)


@pytest.mark.parametrize("tear", Tear)
def test_torn_operation_is_the_same_for_the_same_seed(tear: Tear, flash: NorFlash) -> None:
    def operate() -> None:
        flash.erase(0, SECTOR_BYTES) if tear in ERASES else flash.program(0, b"\x0f" * 64)

    found = [torn(flash, tear, seed, OLD, operate) for seed in range(10)]
    assert [torn(flash, tear, seed, OLD, operate) for seed in range(10)] == found
    assert (len(set(found)) == 1) == (tear == Tear.HALF)


def test_erasure_cut_while_it_zeroes_leaves_zeros_and_then_what_was_there(flash: NorFlash) -> None:
    zeroed = set()
    for seed in SEEDS:
        found = torn(flash, Tear.ZEROING, seed, OLD, lambda: flash.erase(0, SECTOR_BYTES))
        zeroed.add(count := next((at for at, byte in enumerate(found) if byte), SECTOR_BYTES))
        assert found[count:] == OLD[count:]
    assert SECTOR_BYTES in zeroed
    assert len(zeroed) > 10


def test_erasure_cut_while_it_erases_leaves_random_bits(flash: NorFlash) -> None:
    found = torn(flash, Tear.ERASING, 3, OLD, lambda: flash.erase(0, SECTOR_BYTES))
    assert 0.45 < int.from_bytes(found, "little").bit_count() / (8 * SECTOR_BYTES) < 0.55


@pytest.mark.parametrize("tear", PROGRAMS)
def test_programming_cut_in_a_word_or_byte_leaves_only_that_one_torn(tear: Tear, flash: NorFlash) -> None:
    data = b"\x5a" * 64
    places = set()
    for seed in SEEDS:
        found = torn(flash, tear, seed, OLD, lambda: flash.program(0, data))
        done = bytes(old & new for old, new in zip(OLD[:64], data, strict=True))
        differ = [at for at in range(64) if found[at] not in (OLD[at], done[at])]
        places.update(at // 4 for at in differ)
        assert len({at // 4 for at in differ}) <= 1
        assert all(found[at] | OLD[at] == OLD[at] and found[at] & done[at] == done[at] for at in range(64))
        assert found[64:] == OLD[64:]
        if tear == Tear.NIBBLE:
            assert len(differ) <= 1
            assert all(
                found[at] in (OLD[at] & 0xF0 | done[at] & 0x0F, OLD[at] & 0x0F | done[at] & 0xF0)
                for at in differ
            )
        if differ:
            assert found[: differ[0] // 4 * 4] == done[: differ[0] // 4 * 4]
            assert found[differ[-1] // 4 * 4 + 4 : 64] == OLD[differ[-1] // 4 * 4 + 4 : 64]
    assert len(places) > 5


@pytest.mark.parametrize("tear", ERASES)
def test_tear_of_an_erasure_leaves_programming_half_done(tear: Tear, flash: NorFlash) -> None:
    found = torn(flash, tear, 1, b"\xff" * 8, lambda: flash.program(0, bytes(8)))
    assert found[:8] == bytes(4) + b"\xff" * 4
