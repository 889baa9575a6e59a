"""A loader's write to flash, block after block, plain or compressed, without I/O of its own."""

from __future__ import annotations

import zlib

from fctry.boards.chip.nor_flash import SECTOR_BYTES, NorFlash


class InflateError(ValueError):
    """The compressed data is damaged."""


class TooMuchDataError(ValueError):
    """More data than announced."""


class FlashWrite:
    """Writes what comes, in order, from `address` on; at most `size_bytes`.

    `erase_bytes` are erased at the start, as the ROM does; every further sector when the write comes to it, as the
    stub does. `is_compressed`: the blocks are pieces of one zlib stream. Raises AddressError outside of the chip.
    """

    def __init__(
        self, flash: NorFlash, address: int, size_bytes: int, *, is_compressed: bool, erase_bytes: int = 0
    ) -> None:
        self._flash = flash
        self._next = address
        self._end = address + size_bytes
        self._erased_to = address // SECTOR_BYTES * SECTOR_BYTES
        self._inflate = zlib.decompressobj() if is_compressed else None
        self._sequence = -1
        flash.check_range(address, max(size_bytes, erase_bytes))
        if erase_bytes:
            self._erase_to(address + erase_bytes)

    @property
    def is_complete(self) -> bool:
        """Whether all announced bytes have come."""
        return self._next == self._end

    def take(self, sequence: int, block: bytes) -> None:
        """Write one block. One that is sent again (esptool got no answer) is not written again.

        Raises InflateError or TooMuchDataError; what fills up the last plain block is not data and is dropped.
        """
        if sequence == self._sequence:
            return
        data = self._inflated(block) if self._inflate else block[: self._end - self._next]
        if self._next + len(data) > self._end:
            raise TooMuchDataError(f"{self._next + len(data) - self._end} bytes too many")
        self._erase_to(self._next + len(data))
        self._flash.program(self._next, data)
        self._next += len(data)
        self._sequence = sequence

    def _inflated(self, block: bytes) -> bytes:
        assert self._inflate is not None
        try:
            return self._inflate.decompress(block, self._end - self._next + 1)  # one more is too much already
        except zlib.error as error:
            raise InflateError(str(error)) from error

    def _erase_to(self, end: int) -> None:
        last = -(-end // SECTOR_BYTES) * SECTOR_BYTES
        if last > self._erased_to:
            self._flash.erase(self._erased_to, last - self._erased_to)
            self._erased_to = last
