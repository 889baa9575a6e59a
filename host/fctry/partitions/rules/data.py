"""Rules about data partitions.

Source: ESP-IDF v5.5.5 components/partition_table/gen_esp32part.py, components/nvs_flash/src (nvs_pagemanager.cpp,
nvs_partition_lookup.cpp, nvs_api.cpp: nvs_flash_generate_keys) and components/esp_partition/partition_target.c.
"""

from __future__ import annotations

from collections.abc import Iterator

from fctry.findings import ERROR, WARNING, Finding
from fctry.partitions.keywords import IdfVersion
from fctry.partitions.layout import Layout
from fctry.partitions.placing import align_up
from fctry.partitions.rule import Evidence, LayoutRule
from fctry.partitions.table import DATA, DATA_COREDUMP, DATA_NVS_KEYS, DATA_OTA, DATA_TEE_OTA, SECTOR_BYTES

OTADATA_BYTES = 0x2000
NVS_PAGE_BYTES = 0x1000
NVS_READ_WRITE_MIN_BYTES = 0x3000
NVS_WITHOUT_FREE_PAGE_SINCE: IdfVersion = (5, 5)
"""Before, nvs_flash_init_partition wanted a free page (ESP_ERR_NVS_NO_FREE_PAGES) even of a readonly partition."""


@LayoutRule("layout-otadata-count", ERROR, "there is at most one data/ota partition", enforced=True)
def otadata_count(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    return _count(otadata_count, layout, DATA_OTA, "data/ota")


@LayoutRule("layout-otadata-size", ERROR, "data/ota has exactly 0x2000 bytes", enforced=True)
def otadata_size(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    return _size(otadata_size, layout, DATA_OTA, "data/ota")


@LayoutRule(
    "layout-tee-otadata-count", ERROR, "there is at most one data/tee_ota", enforced=True, since=(5, 5)
)
def tee_otadata_count(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    return _count(tee_otadata_count, layout, DATA_TEE_OTA, "data/tee_ota")


@LayoutRule(
    "layout-tee-otadata-size", ERROR, "data/tee_ota has exactly 0x2000 bytes", enforced=True, since=(5, 5)
)
def tee_otadata_size(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    return _size(tee_otadata_size, layout, DATA_TEE_OTA, "data/tee_ota")


def _count(rule: LayoutRule, layout: Layout, subtype: int, what: str) -> Iterator[Finding]:
    first = None
    for line, partition in layout.entries:
        if partition.is_of(DATA, subtype):
            if first:
                message = f"`{partition.name}` is a second {what} partition, after `{first.name}`"
                yield rule.at(line, message, "remove one of the two lines")
            first = first or partition


def _size(rule: LayoutRule, layout: Layout, subtype: int, what: str) -> Iterator[Finding]:
    for line, partition in layout.entries:
        if partition.is_of(DATA, subtype) and partition.size_bytes != OTADATA_BYTES:
            message = f"`{partition.name}` ({what}) has {partition.size_bytes:#x} bytes, not 0x2000"
            yield rule.at(line, message, "use the size 0x2000: two copies, a sector each")


@LayoutRule("layout-readonly-subtype", ERROR, "data/ota and data/coredump are not readonly", enforced=True)
def readonly_subtype(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    for line, partition in layout.entries:
        if partition.readonly and partition.is_of(DATA, DATA_OTA, DATA_COREDUMP):
            message = f"`{partition.name}` is readonly, but ESP-IDF writes to this subtype"
            yield readonly_subtype.at(line, message, "remove the flag `readonly`")


@LayoutRule(
    "layout-nvs-small", ERROR, "read-write NVS has at least 0x3000 bytes", enforced=True, since=(5, 5)
)
def nvs_small(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    for line, partition in layout.entries:
        if partition.is_nvs and not partition.readonly and partition.size_bytes < NVS_READ_WRITE_MIN_BYTES:
            message = (
                f"`{partition.name}` is read-write NVS of {partition.size_bytes:#x} bytes, less than 0x3000"
            )
            hint = "use the size 0x3000, or flag it `readonly` if nothing on the device writes it"
            yield nvs_small.at(line, message, hint)


@LayoutRule("layout-nvs-readonly-small", ERROR, "readonly NVS has at least a page of 0x1000 bytes")
def nvs_readonly_small(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    has_free_page = layout.options.idf < NVS_WITHOUT_FREE_PAGE_SINCE
    needed = 2 * NVS_PAGE_BYTES if has_free_page else NVS_PAGE_BYTES
    for line, partition in layout.entries:
        if partition.is_nvs and partition.readonly and partition.size_bytes < needed:
            message = f"`{partition.name}` is readonly NVS of {partition.size_bytes:#x} bytes, less than {needed:#x}"
            message += ": before v5.5 it mounts only with a free page" if has_free_page else ""
            yield nvs_readonly_small.at(line, message, f"use the size {needed:#x}")


@LayoutRule("layout-nvs-sectors", ERROR, "NVS consists of whole pages of 0x1000 bytes")
def nvs_sectors(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    for line, partition in layout.entries:
        if partition.is_nvs and partition.size_bytes % NVS_PAGE_BYTES:
            up = align_up(partition.size_bytes, NVS_PAGE_BYTES)
            message = f"the size {partition.size_bytes:#x} of `{partition.name}` is not a whole number of NVS pages: "
            message += "it cannot be erased (ESP_ERR_INVALID_SIZE)"
            yield nvs_sectors.at(line, message, f"use {up:#x}, a multiple of 0x1000")


@LayoutRule("layout-nvs-encrypted", ERROR, "NVS is not flagged encrypted: it has an encryption of its own")
def nvs_encrypted(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    for line, partition in layout.entries:
        if partition.is_nvs and partition.encrypted:
            message = (
                f"`{partition.name}` is NVS flagged `encrypted`: with flash encryption it does not mount "
            )
            message += "(ESP_ERR_NVS_WRONG_ENCRYPTION)"
            hint = "remove the flag; NVS encrypts itself, with keys in a data/nvs_keys partition or in eFuse"
            yield nvs_encrypted.at(line, message, hint)


@LayoutRule("layout-nvs-keys-size", ERROR, "data/nvs_keys consists of whole sectors of 4 KB")
def nvs_keys_size(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    for line, partition in layout.entries:
        size_bytes = partition.size_bytes
        if partition.is_of(DATA, DATA_NVS_KEYS) and (not size_bytes or size_bytes % SECTOR_BYTES):
            message = f"`{partition.name}` has {size_bytes:#x} bytes: keys cannot be made in it"
            yield nvs_keys_size.at(line, message, "use the size 0x1000")


@LayoutRule("layout-nvs-keys-encrypted", WARNING, "data/nvs_keys is flagged encrypted")
def nvs_keys_encrypted(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    for line, partition in layout.entries:
        if partition.is_of(DATA, DATA_NVS_KEYS) and not partition.encrypted:
            message = f"`{partition.name}` holds the keys of NVS and is not flagged `encrypted`"
            hint = (
                "add the flag: flash encryption encrypts it in any case, tools that flash it go by the flag"
            )
            yield nvs_keys_encrypted.at(line, message, hint)
