"""From reset to the application, without I/O: what the ROM and a boot loader print, and which ELF runs.

The simulated chip needs no second-stage boot loader in its flash; this is one. It reads the partition table,
chooses an application partition, and checks the image in it as ESP-IDF's boot loader does.

Source: ESP-IDF v5.5.5 components/bootloader_support/src/bootloader_utility.c (selection, messages),
src/bootloader_common_loader.c (otadata), src/flash_partitions.c, src/esp_image_format.c.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from fctry.boards.chip.app_image import MAGIC_AT, SEGMENT_COUNT_AT, AppImage, chip_id_of, unpack
from fctry.boards.chip.apps import App
from fctry.boards.chip.boot_table import load_table
from fctry.boards.chip.chips import ChipKind
from fctry.boards.chip.nor_flash import SECTOR_BYTES, NorFlash
from fctry.boards.chip.otadata import ENTRIES, ENTRY, VALID, OtaSelect, ota_select_crc
from fctry.boards.faults import FlashFileError
from fctry.boards.reset import Boot, ResetReason
from fctry.errors import FormatError
from fctry.partitions.binary import TABLE_BYTES
from fctry.partitions.table import (
    APP,
    APP_FACTORY,
    APP_OTA_0,
    APP_TEST,
    DATA,
    DATA_OTA,
    TABLE_OFFSET,
    Partition,
    PartitionTable,
)

FACTORY_INDEX = -1  # of applications; the OTA slots count from 0


@dataclass
class BootLog:
    """What the boot loader prints, line by line."""

    lines: list[str] = field(default_factory=list)

    def info(self, tag: str, text: str) -> None:
        """A line of level I. No time passes in this boot loader, so its time stamps are 0."""
        self.lines.append(f"I (0) {tag}: {text}")

    def warning(self, tag: str, text: str) -> None:
        """A line of level W."""
        self.lines.append(f"W (0) {tag}: {text}")

    def error(self, tag: str, text: str) -> None:
        """A line of level E."""
        self.lines.append(f"E (0) {tag}: {text}")


def rom_text(chip: ChipKind, boot: Boot, reason: ResetReason) -> str:
    """What the mask ROM prints after a reset."""
    rom = chip.rom
    cause = rom.power_on if reason == ResetReason.POWER_ON else rom.software_reset
    if boot == Boot.DOWNLOAD:
        return f"{rom.banner}{cause},{rom.download_boot}\r\nwaiting for download\r\n"
    return f"{rom.banner}{cause},{rom.flash_boot}\r\n"


def choose_app(
    flash: NorFlash,
    chip: ChipKind,
    apps: Mapping[bytes, App],
    log: BootLog,
    *,
    table_offset: int = TABLE_OFFSET,
) -> App | None:
    """The application to run, None if there is none; `log` says why.

    The partition table is at `table_offset` in flash. `apps` are those that the board may run, by their ELF's
    SHA-256. It writes otadata where ESP-IDF's boot loader does.
    Raises PowerCutError.
    """
    log.info("boot", f"simulated {chip.name}")
    try:
        return _choose(flash, chip, apps, log, table_offset)
    except FlashFileError as error:
        log.error("boot", str(error))
        return None


def _choose(
    flash: NorFlash, chip: ChipKind, apps: Mapping[bytes, App], log: BootLog, table_offset: int
) -> App | None:
    table = load_table(flash.read(table_offset, TABLE_BYTES), flash.size_bytes, log)
    if table is None:
        log.error("boot", "load partition table error!")
        return None
    bootable = _Bootable(table)
    otadata = bootable.otadata
    start = FACTORY_INDEX
    entries: list[OtaSelect] = []
    if otadata is not None:
        if otadata.size_bytes < ENTRIES * SECTOR_BYTES:
            small = f"size {otadata.size_bytes} is too small (minimum {ENTRIES * SECTOR_BYTES} bytes)"
            log.error("boot", f"ota_info partition {small}")
            return None
        if otadata.end > flash.size_bytes:  # of 4 GB, so that the table's check has it end before it begins
            log.error("bootloader_flash", f"bootloader_mmap excess size {otadata.size_bytes:x}")
            log.error("boot", f"bootloader_mmap(0x{otadata.offset:x}, 0x{otadata.size_bytes:x}) failed")
            return None
        entries = [
            OtaSelect.unpack(flash.read(otadata.offset + number * SECTOR_BYTES, ENTRY.size))
            for number in range(ENTRIES)
        ]
        start = _selected(bootable, entries, log)
    for index in (*range(start, FACTORY_INDEX - 1, -1), *range(start + 1, bootable.slot_count)):
        partition = bootable.at(index)
        if partition is None or partition.size_bytes == 0:
            continue
        app = _load(flash, partition, chip, apps, log)
        if app is not None:
            if otadata and index > FACTORY_INDEX and _is_first_boot(bootable, entries):
                _write_sequence(flash, otadata, index + 1, log)
            return app
        name = "Factory app partition" if index == FACTORY_INDEX else f"OTA app partition slot {index}"
        log.error("boot", f"{name} is not bootable")
    if bootable.test is not None and bootable.test.size_bytes:
        app = _load(flash, bootable.test, chip, apps, log)
        if app is not None:
            log.warning("boot", "Falling back to test app as only bootable partition")
            return app
    log.error("boot", "No bootable app partitions in the partition table")
    return None


class _Bootable:
    """What the boot loader keeps of a table: of two partitions with one purpose the last, none at address 0."""

    def __init__(self, table: PartitionTable) -> None:
        last = {(part.type, part.subtype): part for part in table if part.offset}
        self.otadata = last.get((DATA, DATA_OTA))
        self.factory = last.get((APP, APP_FACTORY))
        self.test = last.get((APP, APP_TEST))
        self._slots = {part.subtype - APP_OTA_0: part for part in last.values() if part.is_ota_slot}
        self.slot_count = sum(part.is_ota_slot for part in table)

    def at(self, index: int) -> Partition | None:
        """The application of this index; slots behind a gap are out of reach, as in ESP-IDF."""
        return self.factory if index == FACTORY_INDEX else self._slots.get(index)


def _selected(bootable: _Bootable, entries: Sequence[OtaSelect], log: BootLog) -> int:
    """Index of the application to try first.

    Source: `bootloader_utility_get_selected_boot_partition`; v5.3 to v6.1 choose and print the same.
    """
    if all(entry.is_invalid for entry in entries) or bootable.slot_count == 0:
        if bootable.factory is not None:
            log.info("boot", "Defaulting to factory image")
            return FACTORY_INDEX
        log.info("boot", "No factory image, trying OTA 0")
        return 0
    valid = [entry for entry in entries if not entry.is_invalid and not entry.is_initial]
    if valid:
        return max(valid, key=lambda entry: entry.sequence).slot(bootable.slot_count)
    fallback = " and no factory, will try all partitions"
    if bootable.factory is not None:
        fallback = ", falling back to factory"
    log.error("boot", f"ota data partition invalid{fallback}")
    return FACTORY_INDEX


def _is_first_boot(bootable: _Bootable, entries: Sequence[OtaSelect]) -> bool:
    """Whether otadata is blank and gets the sequence of what boots."""
    return bootable.factory is None and all(entry.is_invalid and entry.is_initial for entry in entries)


def _write_sequence(flash: NorFlash, otadata: Partition, sequence: int, log: BootLog) -> None:
    flash.erase(otadata.offset // SECTOR_BYTES * SECTOR_BYTES, SECTOR_BYTES)
    flash.program(otadata.offset, OtaSelect(sequence, VALID, ota_select_crc(sequence)).pack())
    log.info("boot", f"Set actual ota_seq={sequence} in otadata[0]")


def _load(
    flash: NorFlash, partition: Partition, chip: ChipKind, apps: Mapping[bytes, App], log: BootLog
) -> App | None:
    """The application in the partition, None if its image is not in order or the board was not given it."""
    data = flash.read(partition.offset, flash.size_bytes - partition.offset)
    try:
        chip_id = chip_id_of(data)
        if chip_id != chip.image_chip_id:
            log.error("boot_comm", f"mismatch chip ID, expected {chip.image_chip_id}, found {chip_id}")
            return None
        image = unpack(data, partition.size_bytes)
    except FormatError as error:
        place = f"image at {partition.offset:#x} " if error.offset in (MAGIC_AT, SEGMENT_COUNT_AT) else ""
        log.error("esp_image", f"{place}{error.message}")
        return None
    app = apps.get(image.description.elf_sha256)
    if app is None:
        _log_unknown_app(image, apps.values(), log)
        return None
    log.info("boot", f"Loaded app from partition at offset {partition.offset:#x}")
    return app


def _log_unknown_app(image: AppImage, apps: Iterable[App], log: BootLog) -> None:
    description = image.description
    log.error(
        "boot",
        f"this board was not given the application {description.project_name} {description.version} "
        f"(ELF SHA-256 {description.elf_sha256.hex()[:16]}...)",
    )
    given = ", ".join(str(app.elf) for app in apps) or "none"
    log.error(
        "boot", f"flash one that it was given ({given}), or restart the board with --app and its build folder"
    )
