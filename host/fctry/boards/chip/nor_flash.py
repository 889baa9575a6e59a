"""A NOR flash chip that is a file: state survives a restart, and the rules of NOR hold.

Erasing sets a sector to ones, programming only clears bits. The chip counts its wear, and can cut the power at any
operation, which is then left torn. An operation is what the silicon does at once: the erasure of one sector, or
the programming of (a part of) one page.
Source: W25Q32JV data sheet, sections 8.2.13 "Page Program" and 8.2.15 "Sector Erase".
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fctry.boards.chip.flash_faults import FlashFault, FlashFaults, PowerCut
from fctry.boards.chip.flash_file import open_flash_file
from fctry.boards.chip.flash_times import NO_TIMES, FlashTimes
from fctry.boards.chip.tear import Tear
from fctry.boards.faults import AddressError, FlashFileError, PowerCutError
from fctry.errors import InputError

SECTOR_BYTES = 4096
BLOCK_BYTES = 0x10000
PAGE_BYTES = 256
SIZES_BYTES = tuple(1 << exponent for exponent in range(20, 25))  # 1 to 16 MiB, what a JEDEC id can tell


@dataclass(frozen=True)
class Wear:
    """What one sector went through since the flash was opened."""

    erases: int
    programmed_bytes: int


class NorFlash:
    """The flash in the file `path`, made (erased) if it is not there. Only one process may have it open.

    `size_bytes` is one of SIZES_BYTES. Raises InputError if it is not, if the file has another size, or if another
    board uses it. `faults` are what goes wrong in it, `times` how long it takes. Methods may be called from any thread;
    addresses and sizes are in bytes, what lies outside of the chip is an AddressError, and FlashFileError is raised
    when the file fails.
    """

    def __init__(
        self,
        path: Path,
        size_bytes: int,
        *,
        faults: Sequence[FlashFault] = (),
        times: FlashTimes = NO_TIMES,
    ) -> None:
        if size_bytes not in SIZES_BYTES:
            raise InputError(f"no flash chip has {size_bytes} bytes", hint="choose 1, 2, 4, 8 or 16 MiB")
        self.path = path
        self.size_bytes = size_bytes
        self._lock = threading.Lock()
        self._erases = [0] * (size_bytes // SECTOR_BYTES)
        self._programmed_bytes = [0] * (size_bytes // SECTOR_BYTES)
        self._faults = FlashFaults(faults, SECTOR_BYTES)
        self._times = times
        self._descriptor = open_flash_file(path, size_bytes)

    @property
    def unique_id(self) -> bytes:
        """What no other flash chip has: here it is made of the file's path."""
        return hashlib.sha256(os.fsencode(self.path.resolve())).digest()[:8]

    def close(self) -> None:
        """Let go of the file. Without effect the second time."""
        with self._lock:
            descriptor, self._descriptor = self._descriptor, -1
            if descriptor >= 0:
                os.close(descriptor)

    def read(self, address: int, size_bytes: int) -> bytes:
        """The bytes at `address`."""
        self.check_range(address, size_bytes)
        with self._lock:
            return self._load(address, size_bytes)

    def program(self, address: int, data: bytes) -> None:
        """Clear the bits that are 0 in `data`; bits that are 0 already stay so. Raises PowerCutError."""
        self.check_range(address, len(data))
        end = address + len(data)
        while address < end:
            page_end = min(end, (address // PAGE_BYTES + 1) * PAGE_BYTES)
            part, data = data[: page_end - address], data[page_end - address :]
            with self._lock:
                before = int.from_bytes(self._load(address, len(part)), "little")
                after = before & int.from_bytes(part, "little")
                self._programmed_bytes[address // SECTOR_BYTES] += len(part)
                self._store(address, after.to_bytes(len(part), "little"), is_erasure=False)
                self._wait(self._times.page_program_s)
            address = page_end

    def erase(self, address: int, size_bytes: int) -> None:
        """Set whole sectors to ones: `address` and `size_bytes` are multiples of 4096. Raises PowerCutError."""
        self.check_range(address, size_bytes)
        if address % SECTOR_BYTES or size_bytes % SECTOR_BYTES:
            raise AddressError(
                f"{size_bytes:#x} bytes at {address:#x} are not whole sectors of {SECTOR_BYTES:#x}"
            )
        blocks = range(-(-address // BLOCK_BYTES), (address + size_bytes) // BLOCK_BYTES)
        for sector in range(address, address + size_bytes, SECTOR_BYTES):
            is_in_block = sector // BLOCK_BYTES in blocks
            with self._lock:
                self._erases[sector // SECTOR_BYTES] += 1
                self._store(sector, b"\xff" * SECTOR_BYTES, is_erasure=True)
                self._wait(
                    self._times.block_erase_s * SECTOR_BYTES / BLOCK_BYTES
                    if is_in_block
                    else self._times.sector_erase_s
                )

    def wear(self, address: int) -> Wear:
        """Wear of the sector that `address` lies in."""
        self.check_range(address, 1)
        sector = address // SECTOR_BYTES
        with self._lock:
            return Wear(self._erases[sector], self._programmed_bytes[sector])

    def cut_power_at(self, operation: int | None, tear: Tear = Tear.HALF, seed: int = 0) -> None:
        """Cut the power at the n-th operation from now (1 is the next one), once. No other fault is left; None: none.

        `tear` and `seed` say what that operation leaves; the PowerCutError names both.
        """
        cuts = [] if operation is None else [PowerCut(operation=operation, tear=tear, seed=seed)]
        with self._lock:
            self._faults = FlashFaults(cuts, SECTOR_BYTES)

    # -- the lock is held

    def _store(self, address: int, data: bytes, *, is_erasure: bool) -> None:
        """Do one operation, as well as its faults let it."""
        before = self._load(address, len(data))
        left, cut = self._faults.outcome(address, before, data, is_erasure=is_erasure)
        self._write(address, left)
        if cut:
            raise PowerCutError(
                f"power cut at {address:#x} ({cut.tear.value}, seed {cut.seed})", offset=address
            )

    def _wait(self, seconds: float) -> None:
        if seconds:
            time.sleep(seconds)

    def _load(self, address: int, size_bytes: int) -> bytes:
        try:
            data = os.pread(self._descriptor, size_bytes, address)
        except OSError as error:
            raise FlashFileError(f"cannot read the flash file: {error.strerror}", file=self.path) from error
        if len(data) < size_bytes:
            raise FlashFileError(
                "the flash file was cut short", file=self.path, hint="stop the board, and give it another"
            )
        return data

    def _write(self, address: int, data: bytes) -> None:
        try:
            written = os.pwrite(self._descriptor, data, address)
        except OSError as error:
            raise FlashFileError(f"cannot write the flash file: {error.strerror}", file=self.path) from error
        if written < len(data):
            raise FlashFileError("cannot write the flash file: no space left", file=self.path)

    def check_range(self, address: int, size_bytes: int) -> None:
        """Raise AddressError unless the range lies inside the chip."""
        if address < 0 or size_bytes < 0 or address + size_bytes > self.size_bytes:
            raise AddressError(
                f"{size_bytes:#x} bytes at {address:#x} are outside of {self.size_bytes:#x} bytes"
            )
