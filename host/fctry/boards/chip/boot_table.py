"""The partition table as ESP-IDF's boot loader verifies and prints it.

Source: ESP-IDF v5.5.5 components/bootloader_support/src/flash_partitions.c and bootloader_utility.c
(`bootloader_utility_load_partition_table`); v6.0.2 and v6.1-beta1 verify and print the same. v5.3.5 takes an erased
table for one without partitions, and calls the types of boot loader and partition table unknown.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from fctry.partitions import binary
from fctry.partitions.table import (
    APP,
    APP_FACTORY,
    APP_TEST,
    DATA,
    DATA_EFUSE,
    DATA_NVS,
    DATA_NVS_KEYS,
    DATA_OTA,
    DATA_PHY,
    ENTRY_BYTES,
    Partition,
    PartitionTable,
)

if TYPE_CHECKING:
    from fctry.boards.chip.boot import BootLog

BOOTLOADER, TABLE = 2, 3
_USAGE: Mapping[tuple[int, int], str] = MappingProxyType(
    {
        (APP, APP_FACTORY): "factory app",
        (APP, APP_TEST): "test app",
        (DATA, DATA_OTA): "OTA data",
        (DATA, DATA_PHY): "RF data",
        (DATA, DATA_NVS): "WiFi data",
        (DATA, DATA_NVS_KEYS): "NVS keys",
        (DATA, DATA_EFUSE): "efuse",
        (BOOTLOADER, 0): "primary bootloader",
        (BOOTLOADER, 1): "ota bootloader",
        (BOOTLOADER, 2): "recovery bootloader",
        (TABLE, 0): "primary partition_table",
        (TABLE, 1): "ota partition_table",
    }
)


def load_table(data: bytes, flash_bytes: int, log: BootLog) -> PartitionTable | None:
    """The table in these 0xC00 bytes, printed, or None if the boot loader refuses it; `log` says why."""
    rows = [data[at : at + ENTRY_BYTES] for at in range(0, binary.TABLE_BYTES, ENTRY_BYTES)]
    count, problem = _verify(rows, flash_bytes)
    if problem:
        log.error("flash_parts", problem)
        log.error("boot", "Failed to verify partition table")
        return None
    table = PartitionTable(tuple(map(_partition, rows[:count])))
    log.info("boot", "Partition Table:")
    log.info("boot", "## Label            Usage          Type ST Offset   Length")
    for number, one in enumerate(table):
        what = f"{number:2d} {one.name:<16} {_usage(one):<16} {one.type:02x} {one.subtype:02x}"
        log.info("boot", f"{what} {one.offset:08x} {one.size_bytes:08x}")
    log.info("boot", "End of partition table")
    return table


def _verify(rows: Sequence[bytes], flash_bytes: int) -> tuple[int, str]:
    """How many partitions there are, or what is wrong first: `esp_partition_table_verify`."""
    md5_rows = 0
    for number, row in enumerate(rows):
        if row.startswith(binary.MAGIC):
            one = _partition(row)
            if one.offset > flash_bytes or (one.end & 0xFFFFFFFF) > flash_bytes:
                place = f"offset 0x{one.offset:x} size 0x{one.size_bytes:x}"
                exceeds = f"exceeds flash chip size 0x{flash_bytes:x}"
                return 0, f"partition {number} invalid - {place} {exceeds}"
        elif row.startswith(binary.MD5_MAGIC[:2]):
            if md5_rows:
                return 0, "Only one MD5 checksum is allowed"
            if hashlib.md5(b"".join(rows[:number]), usedforsecurity=False).digest() != row[16:]:
                return 0, "Incorrect MD5 checksum"
            md5_rows = 1
        elif number and row.startswith(b"\xff\xff\xff\xff"):
            return number - md5_rows, ""
        else:
            return 0, f"partition {number} invalid magic number 0x{int.from_bytes(row[:2], 'little'):x}"
    return 0, "partition table has no terminating entry, not valid"


def _partition(row: bytes) -> Partition:
    _, type_, subtype, offset, size_bytes, name, _ = binary.ENTRY.unpack(row)
    return Partition(name.split(b"\0")[0].decode("utf-8", "replace"), type_, subtype, offset, size_bytes)


def _usage(partition: Partition) -> str:
    others = {APP: "OTA app" if partition.is_ota_slot else "Unknown app", DATA: "Unknown data"}
    return _USAGE.get((partition.type, partition.subtype)) or others.get(partition.type, "unknown")
