"""How long a flash chip takes, without I/O."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FlashTimes:
    """Seconds. A block is 64 KiB, erased in one go where whole ones are; a page is 256 bytes, or a part of them."""

    page_program_s: float = 0.0
    sector_erase_s: float = 0.0
    block_erase_s: float = 0.0


NO_TIMES = FlashTimes()
W25Q32JV = FlashTimes(page_program_s=0.0004, sector_erase_s=0.045, block_erase_s=0.150)
"""Typical values. Source: Winbond, W25Q32JV data sheet, revision F, chapter "AC Electrical Characteristics"."""
