"""Rules about data partitions.

Source: ESP-IDF v5.5.5 components/partition_table/gen_esp32part.py; FACTS seen by running nvs_flash.
"""

from __future__ import annotations

from collections.abc import Iterator

from fctry.partitions.layout import Layout
from fctry.partitions.problems import Problem
from fctry.partitions.table import DATA, DATA_COREDUMP, DATA_OTA, DATA_TEE_OTA

OTADATA_BYTES = 0x2000
NVS_READ_WRITE_MIN_BYTES = 0x3000


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
    for entry in layout.entries:
        partition = entry.partition
        if partition.readonly and partition.is_of(DATA, DATA_OTA, DATA_COREDUMP):
            message = f"`{partition.name}` is readonly, but ESP-IDF writes to this subtype"
            yield Problem("layout-readonly-subtype", entry.line, message, "remove the flag `readonly`")


def nvs_small(layout: Layout) -> Iterator[Problem]:
    for entry in layout.entries:
        partition = entry.partition
        if partition.is_nvs and not partition.readonly and partition.size_bytes < NVS_READ_WRITE_MIN_BYTES:
            message = (
                f"`{partition.name}` is read-write NVS of {partition.size_bytes:#x} bytes, less than 0x3000"
            )
            hint = "use the size 0x3000, or flag it `readonly` if nothing on the device writes it"
            yield Problem("layout-nvs-small", entry.line, message, hint)
