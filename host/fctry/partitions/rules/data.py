"""Rules about data partitions.

Source: ESP-IDF v5.5.5 components/partition_table/gen_esp32part.py, components/nvs_flash/src (nvs_pagemanager.cpp,
nvs_partition_lookup.cpp, nvs_api.cpp: nvs_flash_generate_keys) and components/esp_partition/partition_target.c.
"""

from __future__ import annotations

from collections.abc import Iterator

from fctry.partitions.keywords import IdfVersion
from fctry.partitions.layout import Layout
from fctry.partitions.placing import align_up
from fctry.partitions.problems import Problem
from fctry.partitions.table import DATA, DATA_COREDUMP, DATA_NVS_KEYS, DATA_OTA, DATA_TEE_OTA, SECTOR_BYTES

OTADATA_BYTES = 0x2000
NVS_PAGE_BYTES = 0x1000
NVS_READ_WRITE_MIN_BYTES = 0x3000
NVS_WITHOUT_FREE_PAGE_SINCE: IdfVersion = (5, 5)
"""Before, nvs_flash_init_partition wanted a free page (ESP_ERR_NVS_NO_FREE_PAGES) even of a readonly partition."""


def otadata(layout: Layout) -> Iterator[Problem]:
    yield from _otadata(layout, DATA_OTA, "data/ota", "layout-otadata")


def tee_otadata(layout: Layout) -> Iterator[Problem]:
    yield from _otadata(layout, DATA_TEE_OTA, "data/tee_ota", "layout-tee-otadata")


def _otadata(layout: Layout, subtype: int, what: str, code: str) -> Iterator[Problem]:
    found = [entry for entry in layout.entries if entry.partition.is_of(DATA, subtype)]
    for entry in found[1:]:
        message = f"`{entry.partition.name}` is a second {what} partition, after `{found[0].partition.name}`"
        yield Problem(f"{code}-count", entry.line, message, "remove one of the two lines")
    for entry in found:
        if entry.partition.size_bytes != OTADATA_BYTES:
            message = (
                f"`{entry.partition.name}` ({what}) has {entry.partition.size_bytes:#x} bytes, not 0x2000"
            )
            yield Problem(
                f"{code}-size", entry.line, message, "use the size 0x2000: two copies, a sector each"
            )


def readonly_subtype(layout: Layout) -> Iterator[Problem]:
    for line, partition in layout.entries:
        if partition.readonly and partition.is_of(DATA, DATA_OTA, DATA_COREDUMP):
            message = f"`{partition.name}` is readonly, but ESP-IDF writes to this subtype"
            yield Problem("layout-readonly-subtype", line, message, "remove the flag `readonly`")


def nvs_small(layout: Layout) -> Iterator[Problem]:
    for line, partition in layout.entries:
        if partition.is_nvs and not partition.readonly and partition.size_bytes < NVS_READ_WRITE_MIN_BYTES:
            message = (
                f"`{partition.name}` is read-write NVS of {partition.size_bytes:#x} bytes, less than 0x3000"
            )
            hint = "use the size 0x3000, or flag it `readonly` if nothing on the device writes it"
            yield Problem("layout-nvs-small", line, message, hint)


def nvs_readonly_small(layout: Layout) -> Iterator[Problem]:
    has_free_page = layout.options.idf < NVS_WITHOUT_FREE_PAGE_SINCE
    needed = 2 * NVS_PAGE_BYTES if has_free_page else NVS_PAGE_BYTES
    for line, partition in layout.entries:
        if partition.is_nvs and partition.readonly and partition.size_bytes < needed:
            message = f"`{partition.name}` is readonly NVS of {partition.size_bytes:#x} bytes, less than {needed:#x}"
            message += ": before v5.5 it mounts only with a free page" if has_free_page else ""
            yield Problem("layout-nvs-readonly-small", line, message, f"use the size {needed:#x}")


def nvs_sectors(layout: Layout) -> Iterator[Problem]:
    for line, partition in layout.entries:
        if partition.is_nvs and partition.size_bytes % NVS_PAGE_BYTES:
            up = align_up(partition.size_bytes, NVS_PAGE_BYTES)
            message = f"the size {partition.size_bytes:#x} of `{partition.name}` is not a whole number of NVS pages: "
            message += "it cannot be erased (ESP_ERR_INVALID_SIZE)"
            yield Problem("layout-nvs-sectors", line, message, f"use {up:#x}, a multiple of 0x1000")


def nvs_encrypted(layout: Layout) -> Iterator[Problem]:
    for line, partition in layout.entries:
        if partition.is_nvs and partition.encrypted:
            message = (
                f"`{partition.name}` is NVS flagged `encrypted`: with flash encryption it does not mount "
            )
            message += "(ESP_ERR_NVS_WRONG_ENCRYPTION)"
            hint = "remove the flag; NVS encrypts itself, with keys in a data/nvs_keys partition or in eFuse"
            yield Problem("layout-nvs-encrypted", line, message, hint)


def nvs_keys(layout: Layout) -> Iterator[Problem]:
    for line, partition in layout.entries:
        if not partition.is_of(DATA, DATA_NVS_KEYS):
            continue
        if partition.size_bytes < SECTOR_BYTES or partition.size_bytes % SECTOR_BYTES:
            message = f"`{partition.name}` has {partition.size_bytes:#x} bytes: keys cannot be made in it"
            yield Problem("layout-nvs-keys-size", line, message, "use the size 0x1000")
        if not partition.encrypted:
            message = f"`{partition.name}` holds the keys of NVS and is not flagged `encrypted`"
            hint = (
                "add the flag: flash encryption encrypts it in any case, tools that flash it go by the flag"
            )
            yield Problem("layout-nvs-keys-encrypted", line, message, hint)
