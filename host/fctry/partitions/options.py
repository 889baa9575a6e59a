"""What a project's configuration says about its partition table: the options of gen_esp32part.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType

from fctry.errors import InputError
from fctry.partitions.keywords import NEWEST_IDF, IdfVersion, Keywords
from fctry.partitions.table import TABLE_OFFSET, TABLE_SECTOR_BYTES

_NO_VARIABLES: Mapping[str, str] = MappingProxyType({})


class SecureBoot(str, Enum):
    """Secure boot as it concerns the sizes of applications."""

    NONE = "none"
    V1 = "v1"
    V2 = "v2"


@dataclass(frozen=True)
class Options:
    """How a partition CSV is read.

    Offsets are addresses in flash. `primary_bootloader_offset` and `recovery_bootloader_offset` are needed only by
    a table that lists boot loaders, `flash_size_bytes` of None means unknown, `variables` replaces `$NAME` in
    the CSV (gen_esp32part.py takes them from the environment).
    """

    table_offset: int = TABLE_OFFSET
    md5: bool = True
    primary_bootloader_offset: int | None = None
    recovery_bootloader_offset: int | None = None
    secure_boot: SecureBoot = SecureBoot.NONE
    flash_size_bytes: int | None = None
    keywords: Keywords = field(default_factory=Keywords)
    variables: Mapping[str, str] = field(default_factory=lambda: _NO_VARIABLES, repr=False)
    idf: IdfVersion = NEWEST_IDF

    def __post_init__(self) -> None:
        primary = self.primary_bootloader_offset
        if primary is not None and primary >= self.table_offset:
            raise InputError(
                f"the boot loader at {primary:#x} is not before the partition table at {self.table_offset:#x}",
                hint="check the offset of the table: it comes after the boot loader",
            )

    @property
    def places_primary_entries(self) -> bool:
        """Whether boot loader and table entries get their places from the options, as they do since v5.5."""
        return self.idf >= (5, 5)

    @property
    def first_offset(self) -> int:
        """The first address after the partition table."""
        return self.table_offset + TABLE_SECTOR_BYTES
