"""What a CSV says that is right, and probably not what is meant."""

from __future__ import annotations

from collections.abc import Iterator

from fctry.findings import Finding, Severity
from fctry.nvs.csv import Sheet

WIFI_KEYS = ("sta.ssid", "sta.pswd")
WIFI_EXTRAS = ("sta.apinfo", "sta.pmk", "sta.apsw")


def notes(sheet: Sheet) -> list[Finding]:
    """All that is worth a second look.

    Source: nvs_partition_gen.py (write_entry) of esp-idf-nvs-partition-gen 0.3.0.
    """
    return [*_wifi(sheet), *_spaces(sheet)]


def _wifi(sheet: Sheet) -> Iterator[Finding]:
    item = next((item for item in sheet.items if item.key in WIFI_KEYS), None)
    if item and not any(other.key in WIFI_EXTRAS for other in sheet.items):
        yield Finding(
            "csv-wifi",
            Severity.INFO,
            item.refusal("", "").where,
            f"to {item.key!r} Espressif's generator adds {', '.join(WIFI_EXTRAS)}, which are not in the CSV; fctry "
            "writes what is there",
            "for its bytes add them as hex2bin: 140 bytes ff, 32 bytes 00, 2 bytes 00",
        )


def _spaces(sheet: Sheet) -> Iterator[Finding]:
    for item in sheet.items:
        if item.key != item.key.strip():
            message = f"the key {item.key!r} has a space at an end"
            place = item.refusal("", "").where
            yield Finding(
                "csv-space", Severity.WARNING, place, message, "remove it, if the firmware has none"
            )
