"""NOR flash: its rules against a model, its file, its wear and its power cuts."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from fctry.boards.chip.nor_flash import PAGE_BYTES, SECTOR_BYTES, NorFlash, Wear
from fctry.boards.faults import AddressError, PowerCutError
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
