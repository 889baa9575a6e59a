"""A partition table as data: what the boot loader and the application see, without where it came from.

Source: ESP-IDF v5.5.5 components/bootloader_support/include/esp_flash_partitions.h.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from fctry.errors import InputError

SECTOR_BYTES = 0x1000
TABLE_OFFSET = 0x8000
"""Where the table is in flash unless CONFIG_PARTITION_TABLE_OFFSET says otherwise."""
TABLE_SECTOR_BYTES = 0x1000
"""What the table occupies in flash: one sector, of which 0xC00 bytes are entries."""
TABLE_BYTES = 0xC00
"""Entries, MD5 row and end marker; the rest of the sector is left for a signature."""
ENTRY_BYTES = 32
MAGIC = b"\xaa\x50"
"""What each entry, and so the table, begins with."""
MAX_PARTITIONS = TABLE_BYTES // ENTRY_BYTES - 2
"""With the MD5 row and the end marker. (ESP-IDF's documentation says 95, which is the number without MD5 row.)"""
MAX_PARTITIONS_WITHOUT_MD5 = TABLE_BYTES // ENTRY_BYTES - 1
NAME_BYTES = 16
FACTORY_PARTITION = "fctry"
NO_PARTITION = "none"
USER_PARTITION = "nvs"
"""What the partition with factory data is called unless the project says otherwise."""

APP, DATA, BOOTLOADER, PARTITION_TABLE = 0x00, 0x01, 0x02, 0x03

APP_FACTORY, APP_OTA_0, APP_OTA_15, APP_TEST, APP_TEE_0, APP_TEE_1 = 0x00, 0x10, 0x1F, 0x20, 0x30, 0x31
DATA_OTA, DATA_PHY, DATA_NVS, DATA_COREDUMP, DATA_NVS_KEYS, DATA_EFUSE = 0x00, 0x01, 0x02, 0x03, 0x04, 0x05
DATA_UNDEFINED, DATA_TEE_OTA = 0x06, 0x90
DATA_FAT, DATA_SPIFFS, DATA_LITTLEFS = 0x81, 0x82, 0x83
PRIMARY, RECOVERY = 0x00, 0x02


def text_of_name(name: bytes) -> str:
    """The text of a name in a binary; a character that was cut at its end is left out.

    Raises UnicodeDecodeError when it is not UTF-8.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    return decoder.decode(name.split(b"\x00", 1)[0], final=False)


@dataclass(frozen=True)
class Partition:
    """One entry of the table.

    `type` and `subtype` are the numbers 0 to 255 of esp_partition_type_t and esp_partition_subtype_t,
    `offset` is the absolute address in flash.
    """

    name: str
    type: int
    subtype: int
    offset: int
    size_bytes: int
    encrypted: bool = False
    readonly: bool = False

    @property
    def as_flashed(self) -> Partition:
        """This partition as the device sees it: with the name that fits the binary."""
        return replace(self, name=text_of_name(self.name.encode()[:NAME_BYTES]))

    @property
    def end(self) -> int:
        """The address of the first byte after it."""
        return self.offset + self.size_bytes

    def is_of(self, type_: int, *subtypes: int) -> bool:
        """Whether it has this type and one of these subtypes."""
        return self.type == type_ and self.subtype in subtypes

    @property
    def is_nvs(self) -> bool:
        return self.is_of(DATA, DATA_NVS)

    @property
    def is_ota_slot(self) -> bool:
        return self.type == APP and APP_OTA_0 <= self.subtype <= APP_OTA_15

    @property
    def is_primary(self) -> bool:
        """Whether it describes the boot loader or the partition table itself, which come before all others."""
        return self.is_of(BOOTLOADER, PRIMARY) or self.is_of(PARTITION_TABLE, PRIMARY)


@dataclass(frozen=True)
class PartitionTable:
    """The partitions in the order in which the table lists them. `file` is for messages only.

    `offset` is the address of the table itself in flash: no part of its content.
    """

    partitions: tuple[Partition, ...]
    file: str = ""
    offset: int = field(default=TABLE_OFFSET, compare=False)

    def __iter__(self) -> Iterator[Partition]:
        return iter(self.partitions)

    def __len__(self) -> int:
        return len(self.partitions)

    def find(self, name: str) -> Partition:
        """The partition of this name.

        Raises InputError when there is none, with a line to paste if the table has room for one.
        """
        for partition in self.partitions:
            if partition.name == name:
                return partition
        names = ", ".join(p.name for p in self.partitions) or "none"
        raise InputError(
            f"no partition is called `{name}` (there are: {names})",
            hint=f"add a line such as `{name}, data, nvs, , 0x6000, readonly`, or name one of the partitions above",
            file=self.file or None,
        )
