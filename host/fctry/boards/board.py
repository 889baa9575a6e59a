"""A simulated board: a simulated chip behind an RFC2217 port."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fctry.boards.chip.apps import find_apps
from fctry.boards.chip.chips import chip_named
from fctry.boards.chip.flash_faults import LeakySector, PowerCut, WornSector
from fctry.boards.chip.flash_times import NO_TIMES, W25Q512JV
from fctry.boards.chip.loader_wire import Op
from fctry.boards.chip.nor_flash import NorFlash
from fctry.boards.chip.start_faults import BootLoop, Silent, StartFaults
from fctry.boards.fault_plan import (
    Fault,
    Level,
    RealTime,
    SecureDownload,
    SmallerFlash,
    StuckBoot,
    WrongChip,
    WrongMac,
    only,
)
from fctry.boards.port import Port
from fctry.boards.port.line_faults import Loss, PowerLoss
from fctry.boards.served_board import ServedBoard
from fctry.boards.simulated_chip import SimulatedChip
from fctry.errors import InputError
from fctry.partitions.table import SECTOR_BYTES, TABLE_OFFSET

DEFAULT_MAC = bytes.fromhex("240ac4fc7201")
DEFAULT_FLASH_BYTES = 4 * 1024 * 1024
TABLE_OFFSET_MAX = 0xFF000


class Board(ServedBoard):
    """A board on `rfc2217://127.0.0.1:PORT`, running in threads of this process while it is entered.

    `flash` is the file of its flash, made (erased) if it is absent; `apps` are build folders or ELF files: only what
    one of them holds ever runs, and only if the application image in flash names it. `mac` has 6 bytes; `port` is
    a TCP port (0 takes a free one), or a port of another kind; `table_offset` is where the boot
    loader looks for the partition table; `faults` are its fault plan. Raises InputError or PortError when it cannot be
    made.
    """

    def __init__(
        self,
        flash: Path,
        apps: Sequence[Path] = (),
        *,
        chip: str = "esp32",
        flash_size_bytes: int = DEFAULT_FLASH_BYTES,
        mac: bytes = DEFAULT_MAC,
        port: int | Port = 0,
        table_offset: int = TABLE_OFFSET,
        faults: Sequence[Fault] = (),
    ) -> None:
        if wrong_mac := only(WrongMac, faults):
            mac = wrong_mac.address
        if wrong_chip := only(WrongChip, faults):
            chip = wrong_chip.chip
        if smaller := only(SmallerFlash, faults):
            flash_size_bytes = smaller.size
        check_mac(mac)
        if table_offset % SECTOR_BYTES or not 0 < table_offset <= TABLE_OFFSET_MAX:
            raise InputError(
                f"no partition table can be at {table_offset:#x}",
                hint=f"a multiple of {SECTOR_BYTES:#x} from {SECTOR_BYTES:#x} to {TABLE_OFFSET_MAX:#x}",
            )
        self.chip = chip_named(chip)
        self.mac = mac
        is_secure, is_real_time = only(SecureDownload, faults) is not None, only(RealTime, faults) is not None
        if is_secure and not self.chip.has_security_info:
            raise InputError(
                f"{chip} has no Secure Download mode", hint="choose a later chip: --chip esp32c3"
            )
        found = find_apps(apps)
        cuts = [PowerLoss(fault.byte) for fault in faults if isinstance(fault, PowerCut) and fault.byte]
        line_faults = [*cuts, *(fault for fault in faults if isinstance(fault, Loss))]
        super().__init__(port, faults=line_faults, is_paced=is_real_time)
        if stuck := only(StuckBoot, faults):
            self._circuit.io0_stuck_at = stuck.level is Level.HIGH
        try:
            self.flash = NorFlash(
                flash,
                flash_size_bytes,
                faults=[one for one in faults if isinstance(one, PowerCut | WornSector | LeakySector)],
                times=W25Q512JV if is_real_time else NO_TIMES,
            )
        except BaseException:
            self._port.close()
            raise
        self._simulated = SimulatedChip(
            self.chip,
            mac,
            self.flash,
            found,
            self._circuit,
            self._say,
            table_offset,
            start_faults=StartFaults([fault for fault in faults if isinstance(fault, Silent | BootLoop)]),
            is_secure=is_secure,
        )
        self._machine = self._simulated

    @property
    def commands(self) -> dict[str, int]:
        """How often its loaders were asked for what, since the board was made."""
        known = {int(op): op.name for op in Op}
        return {known.get(op, f"{op:#x}"): count for op, count in self._simulated.commands.items()}


def check_mac(mac: bytes) -> None:
    """Raise InputError if these are not the 6 bytes of a MAC address."""
    if len(mac) != 6:
        raise InputError(
            f"a MAC address has 6 bytes, not {len(mac)}",
            hint="write it as 24:0a:c4:00:00:01",
        )
