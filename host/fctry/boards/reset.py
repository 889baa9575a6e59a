"""What all parts of a board say of its starts: why it starts, and where to."""

from __future__ import annotations

from enum import Enum, IntEnum


class Boot(Enum):
    """Where the chip goes when EN rises."""

    FLASH = "flash"
    DOWNLOAD = "download"


class ResetReason(IntEnum):
    """Why the chip starts, as `esp_reset_reason_t` has it."""

    POWER_ON = 1
    SOFTWARE = 3
    PANIC = 4
