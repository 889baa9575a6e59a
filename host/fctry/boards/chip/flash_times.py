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
W25Q512JV = FlashTimes(page_program_s=704e-6, sector_erase_s=0.064, block_erase_s=0.160)
"""A Winbond W25Q512JV: typical values, as DWORDs 10 and 11 of its own Basic Flash Parameter Table tell them.

Source: JESD216B; the chip's SFDP as QEMU has it, hw/block/m25p80_sfdp.c, sfdp_w25q512jv.
"""
