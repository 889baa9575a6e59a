"""From reset to the application, without I/O: what the ROM and a boot loader print, and which ELF runs.

The simulated chip needs no second-stage boot loader in its flash; this is one. It reads the partition table at 0x8000,
chooses an application partition, and checks the image in it as ESP-IDF's boot loader does.

Source: ESP-IDF v5.5.5 components/bootloader_support/src/bootloader_utility.c (selection, messages),
src/bootloader_common_loader.c (otadata), src/flash_partitions.c, src/esp_image_format.c.
"""

from __future__ import annotations

import binascii
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from fctry.boards.chip.app_image import AppImage, unpack
from fctry.boards.chip.apps import App
from fctry.boards.chip.chips import Chip
from fctry.boards.reset import Boot, ResetReason
from fctry.errors import FormatError
from fctry.partitions import binary
from fctry.partitions.table import (
    APP,
    DATA,
    DATA_EFUSE,
    DATA_NVS,
    DATA_NVS_KEYS,
    DATA_OTA,
    DATA_PHY,
    TABLE_OFFSET,
    Partition,
    PartitionTable,
)

SUBTYPE_FACTORY, SUBTYPE_OTA_FIRST, SUBTYPE_OTA_LAST, SUBTYPE_TEST = 0x00, 0x10, 0x1F, 0x20  # of applications
_DATA_USAGE = {
    DATA_OTA: "OTA data",
    DATA_PHY: "RF data",
    DATA_NVS: "WiFi data",
    DATA_NVS_KEYS: "NVS keys",
    DATA_EFUSE: "efuse",
}

_OTA_SELECT = struct.Struct("<I20sII")  # esp_ota_select_entry_t: ota_seq, seq_label, ota_state, crc
_OTA_SELECT_STRIDE = 0x1000
_OTA_UNSET = 0xFFFFFFFF
_OTA_INVALID, _OTA_ABORTED = 3, 4

Read = Callable[[int, int], bytes]


@dataclass
class BootLog:
    """What the boot loader prints, line by line."""

    lines: list[str] = field(default_factory=list)

    def info(self, tag: str, text: str) -> None:
        """A line of level I. No time passes in this boot loader, so its time stamps are 0."""
        self.lines.append(f"I (0) {tag}: {text}")

    def error(self, tag: str, text: str) -> None:
        """A line of level E."""
        self.lines.append(f"E (0) {tag}: {text}")


def rom_text(chip: Chip, boot: Boot, reason: ResetReason) -> str:
    """What the mask ROM prints after a reset."""
    rom = chip.rom
    cause = rom.power_on if reason == ResetReason.POWER_ON else rom.software_reset
    if boot == Boot.DOWNLOAD:
        return f"{rom.banner}{cause},{rom.download_boot}\r\nwaiting for download\r\n"
    return f"{rom.banner}{cause},{rom.flash_boot}\r\n"


def choose_app(
    read: Read, flash_size_bytes: int, chip: Chip, apps: Mapping[bytes, App], log: BootLog
) -> App | None:
    """The application to run, None if there is none; `log` says why.

    `read(address, size_bytes)` reads the flash. `apps` are those that the board may run, by their ELF's SHA-256.
    """
    log.info("boot", f"simulated {chip.name}")
    table = _read_table(read, flash_size_bytes, log)
    if table is None:
        log.error("boot", "load partition table error!")
        return None
    for partition in _boot_order(table, read, log):
        image = _load(read, partition, chip, log)
        if image is not None:
            digest = image.description.elf_sha256
            if digest in apps:
                log.info("boot", f"Loaded app from partition at offset {partition.offset:#x}")
                return apps[digest]
            _log_unknown_app(image, apps.values(), log)
        log.error("boot", f"{_bootable_name(partition)} is not bootable")
    log.error("boot", "No bootable app partitions in the partition table")
    return None


def _read_table(read: Read, flash_size_bytes: int, log: BootLog) -> PartitionTable | None:
    try:
        table = binary.unpack(read(TABLE_OFFSET, binary.TABLE_BYTES))
    except FormatError as error:
        log.error("flash_parts", error.message)
        log.error("boot", "Failed to verify partition table")
        return None
    log.info("boot", "Partition Table:")
    log.info("boot", "## Label            Usage          Type ST Offset   Length")
    for number, partition in enumerate(table.partitions):
        if partition.offset + partition.size_bytes > flash_size_bytes:
            log.error(
                "flash_parts",
                f"partition {number} invalid - offset {partition.offset:#x} size {partition.size_bytes:#x} "
                f"exceeds flash chip size {flash_size_bytes:#x}",
            )
            log.error("boot", "Failed to verify partition table")
            return None
        log.info(
            "boot",
            f"{number:2d} {partition.name:<16} {_usage(partition):<16} {partition.type:02x} {partition.subtype:02x} "
            f"{partition.offset:08x} {partition.size_bytes:08x}",
        )
    log.info("boot", "End of partition table")
    return table


def _usage(partition: Partition) -> str:
    if partition.type == APP:
        if partition.subtype == SUBTYPE_FACTORY:
            return "factory app"
        if partition.subtype == SUBTYPE_TEST:
            return "test app"
        return "OTA app" if _is_ota(partition) else "Unknown app"
    if partition.type == DATA:
        return _DATA_USAGE.get(partition.subtype, "Unknown data")
    return "unknown"


def _is_ota(partition: Partition) -> bool:
    return partition.type == APP and SUBTYPE_OTA_FIRST <= partition.subtype <= SUBTYPE_OTA_LAST


def _bootable_name(partition: Partition) -> str:
    if _is_ota(partition):
        return f"OTA app partition slot {partition.subtype - SUBTYPE_OTA_FIRST}"
    return "Factory app partition"


def _boot_order(table: PartitionTable, read: Read, log: BootLog) -> Iterator[Partition]:
    """Application partitions in the order in which they are tried: the selected one, those before it down to the
    factory application, then those after it.
    """
    slots = [
        partition
        for partition in table.partitions
        if partition.type == APP and partition.subtype == SUBTYPE_FACTORY
    ][:1]
    first_ota = len(slots)
    slots += sorted(filter(_is_ota, table.partitions), key=lambda partition: partition.subtype)
    selected = _selected_ota(table, read, len(slots) - first_ota)
    if selected is None:
        if first_ota == 0 and slots:
            log.info("boot", "No factory image, trying OTA 0")
        start = 0
    else:
        start = first_ota + selected
    yield from reversed(slots[: start + 1])
    yield from slots[start + 1 :]


def _selected_ota(table: PartitionTable, read: Read, ota_count: int) -> int | None:
    """Index of the OTA application that otadata selects, None if it selects none."""
    otadata = next(
        (part for part in table.partitions if (part.type, part.subtype) == (DATA, DATA_OTA)),
        None,
    )
    if otadata is None or ota_count == 0:
        return None
    sequences = []
    for copy in range(2):
        entry = read(otadata.offset + copy * _OTA_SELECT_STRIDE, _OTA_SELECT.size)
        sequence, _label, state, crc = _OTA_SELECT.unpack(entry)
        is_valid = crc == ota_select_crc(sequence) and state not in (_OTA_INVALID, _OTA_ABORTED)
        if sequence != _OTA_UNSET and is_valid:
            sequences.append(sequence)
    return (max(sequences) - 1) % ota_count if sequences else None


def ota_select_crc(sequence: int) -> int:
    """CRC of an otadata entry: over the sequence number alone."""
    return binascii.crc32(struct.pack("<I", sequence), 0xFFFFFFFF)


def _load(read: Read, partition: Partition, chip: Chip, log: BootLog) -> AppImage | None:
    data = read(partition.offset, partition.size_bytes)
    try:
        image = unpack(data)
    except FormatError as error:
        if error.offset == 0:
            log.error(
                "esp_image", f"image at {partition.offset:#x} has invalid magic byte (nothing flashed here?)"
            )
        else:
            log.error("esp_image", f"image at {partition.offset:#x}: {error.message}")
        return None
    if image.chip != chip.name:
        log.error("boot_comm", f"mismatch chip ID, expected {chip.name}, found {image.chip}")
        return None
    return image


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
