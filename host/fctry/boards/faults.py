"""What goes wrong in a board's flash, for all parts that use it."""

from __future__ import annotations

from fctry.errors import BoardError


class AddressError(BoardError):
    """An address outside of the flash, or none where a sector begins."""


class FlashFileError(BoardError):
    """The file of the flash cannot be read or written any more: the disk is full, or something cut it short."""


class PowerCutError(BoardError):
    """The power failed in the middle of an operation, as `NorFlash.cut_power_at` had been told."""
