"""The auto-reset circuit of Espressif's boards, without I/O: two transistors between the port's lines and the chip.

    RTS       DTR       EN    IO0
    released  released  high  high    the chip runs
    asserted  released  low   high    the chip is held in reset
    released  asserted  high  low     the BOOT button is down
    asserted  asserted  high  high    as if neither were: the transistors block each other

What matters is IO0 at the moment EN rises: low means download. Software changes the two lines one after the other, and
so passes through "both asserted" on its way from reset to download; a capacitor holds EN low for that moment. Here
EN stays low until RTS is released, however long that takes.
Source: ESP32-DevKitC V4 schematic, "Auto program"; esptool's documentation, "Boot Mode Selection".
"""

from __future__ import annotations

from dataclasses import dataclass

from fctry.boards.reset import Boot


@dataclass(frozen=True)
class Held:
    """EN went low."""


@dataclass(frozen=True)
class Released:
    """EN went high."""

    boot: Boot


class AutoReset:
    """State of the circuit, and of the BOOT button. It starts with the lines released and EN high."""

    def __init__(self) -> None:
        self.is_boot_button_down = False
        self.io0_stuck_at: bool | None = None  # a broken line: low is False
        self._is_held = False
        self._is_driven_low = False  # IO0, by the lines

    @property
    def is_io0_low(self) -> bool:
        """Level of IO0."""
        if self.io0_stuck_at is not None:
            return not self.io0_stuck_at
        return self._is_driven_low or self.is_boot_button_down

    @property
    def boot(self) -> Boot:
        """Where the chip would go if EN rose now."""
        return Boot.DOWNLOAD if self.is_io0_low else Boot.FLASH

    def set_lines(self, *, rts: bool, dtr: bool) -> Held | Released | None:
        """Set both lines; True is asserted. Returns what happens to EN, if anything."""
        self._is_driven_low = dtr and not rts
        if rts and not dtr:
            was_held, self._is_held = self._is_held, True
            return None if was_held else Held()
        if self._is_held and not rts:
            self._is_held = False
            return Released(self.boot)
        return None
