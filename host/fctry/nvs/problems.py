"""The codes of everything that can be wrong with an NVS partition, how bad it is, and what to do. Codes never change.

How bad it is depends on the partition. In one that the firmware writes to, leftovers of a power cut are normal: it
clears them away as it mounts. In one flagged ``readonly`` it cannot, and mounting or reading fails.
Source: seen with the nvs_flash of ESP-IDF v5.5.5, and read in components/nvs_flash/src.
"""

from __future__ import annotations

from typing import NamedTuple

ERROR, WARNING, INFO = "error", "warning", "info"  # values of findings.Severity


class Rule(NamedTuple):
    """How bad a problem is, in a partition written to and in one that is read-only, and the remedy."""

    severity: str
    severity_read_only: str
    hint: str


REBUILD = "build the image again and flash it; of a device's partition, only a backup brings this back"
RECOVERED = "nothing to do: the firmware clears it away when it mounts the partition"
TOOL = "whatever made this image is wrong: build it with `fctry image build`"

RULES = {
    "nvs-size": Rule(ERROR, ERROR, "read the whole partition: its size is in the partition table"),
    "nvs-too-small": Rule(ERROR, INFO, "enlarge the partition to 0x3000, or flag it readonly"),
    "nvs-empty": Rule(INFO, INFO, "flash an image into it"),
    "nvs-encrypted": Rule(ERROR, ERROR, "it is encrypted or damaged: give its keys with --keys"),
    "nvs-wrong-key": Rule(ERROR, ERROR, "these are the keys of another partition, or it is not encrypted"),
    "nvs-no-free-page": Rule(ERROR, INFO, "store less, enlarge the partition, or flag it readonly"),
    # pages
    "nvs-page-crc": Rule(ERROR, ERROR, REBUILD),
    "nvs-page-state": Rule(ERROR, ERROR, REBUILD),
    "nvs-page-version": Rule(ERROR, ERROR, "the format is newer than any firmware: erase the partition"),
    "nvs-page-not-erased": Rule(
        WARNING, WARNING, "nothing to do: the firmware erases the page before it uses it"
    ),
    "nvs-page-sequence": Rule(ERROR, ERROR, TOOL),
    "nvs-page-active": Rule(WARNING, WARNING, TOOL),
    "nvs-page-freeing": Rule(
        WARNING, WARNING, "nothing to do: the firmware goes on where the power was lost"
    ),
    # entries
    "nvs-entry-crc": Rule(ERROR, ERROR, REBUILD),
    "nvs-entry-type": Rule(ERROR, ERROR, TOOL),
    "nvs-entry-span": Rule(ERROR, ERROR, TOOL),
    "nvs-entry-chunk": Rule(ERROR, ERROR, TOOL),
    "nvs-entry-state": Rule(ERROR, ERROR, REBUILD),
    "nvs-entry-half-written": Rule(WARNING, ERROR, RECOVERED),
    "nvs-entry-not-erased": Rule(ERROR, WARNING, REBUILD),
    "nvs-entry-hidden": Rule(ERROR, ERROR, REBUILD),
    "nvs-entry-lost": Rule(ERROR, ERROR, TOOL),
    "nvs-span-state": Rule(WARNING, ERROR, RECOVERED),
    "nvs-data-crc": Rule(ERROR, ERROR, REBUILD),
    "nvs-hash-collision": Rule(ERROR, ERROR, "rename one of the two keys"),
    # what the entries say
    "nvs-key-empty": Rule(WARNING, WARNING, TOOL),
    "nvs-duplicate-key": Rule(ERROR, ERROR, "remove or rename one of them"),
    "nvs-namespace-missing": Rule(ERROR, ERROR, TOOL),
    "nvs-namespace-duplicate": Rule(ERROR, ERROR, TOOL),
    "nvs-namespace-number": Rule(ERROR, ERROR, TOOL),
    "nvs-namespace-empty": Rule(INFO, INFO, "remove it if it is not meant to be there"),
    "nvs-blob-incomplete": Rule(ERROR, ERROR, REBUILD),
    "nvs-blob-orphan": Rule(WARNING, ERROR, RECOVERED),
    "nvs-blob-start": Rule(ERROR, ERROR, TOOL),
    "nvs-string-end": Rule(ERROR, ERROR, TOOL),
    "nvs-string-nul": Rule(WARNING, WARNING, "store it as a blob"),
    "nvs-string-utf8": Rule(WARNING, WARNING, "store it as a blob, or in UTF-8"),
    "nvs-blob-v1": Rule(
        INFO, INFO, "nvs_get_blob reads it, nvs_entry_find does not list it; version 2 is listed"
    ),
    "nvs-float": Rule(
        INFO, WARNING, "firmware before v6.1 drops it, and does not mount a read-only partition with it"
    ),
}
