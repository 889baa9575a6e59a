"""What a CSV says that is right, and probably not what is meant."""

from __future__ import annotations

from collections.abc import Iterator

from fctry.findings import INFO, WARNING, Finding, Rule
from fctry.nvs.csv import Sheet
from fctry.nvs.item import Item
from fctry.nvs.sdks import read_of

WIFI_KEYS = ("sta.ssid", "sta.pswd")
WIFI_EXTRAS = ("sta.apinfo", "sta.pmk", "sta.apsw")


class SheetRule(Rule[Sheet, None]):
    """A rule for what a CSV says."""

    def at(self, item: Item, message: str, hint: str) -> Finding:
        return Finding(self, self.severity, message, hint, str(item.file or ""), item.line or 0)


def notes(sheet: Sheet) -> list[Finding]:
    """All that is worth a second look.

    Source: nvs_partition_gen.py (write_entry) of esp-idf-nvs-partition-gen 0.3.0.
    """
    return [*wifi.find(sheet, None), *space.find(sheet, None), *sdk_type.find(sheet, None)]


@SheetRule("csv-wifi", INFO, "Wi-Fi keys to which Espressif's generator adds others")
def wifi(sheet: Sheet, _: None) -> Iterator[Finding]:
    item = next((item for item in sheet.items if item.key in WIFI_KEYS), None)
    if item and not any(other.key in WIFI_EXTRAS for other in sheet.items):
        message = (
            f"to {item.key!r} Espressif's generator adds {', '.join(WIFI_EXTRAS)}, which are not in the CSV; "
        )
        hint = "for its bytes add them as hex2bin: 140 bytes ff, 32 bytes 00, 2 bytes 00"
        yield wifi.at(item, message + "fctry writes what is there", hint)


@SheetRule("csv-space", WARNING, "a key with a space at an end")
def space(sheet: Sheet, _: None) -> Iterator[Finding]:
    for item in sheet.items:
        if item.key != item.key.strip():
            message = f"the key {item.key!r} has a space at an end"
            yield space.at(item, message, "remove it, if the firmware has none")


@SheetRule("csv-sdk-type", WARNING, "a type that the SDK does not read")
def sdk_type(sheet: Sheet, _: None) -> Iterator[Finding]:
    for item in sheet.items:
        found = read_of(item.namespace, item.key)
        if found and item.type is not found[1].type:
            sdk, read = found
            message = f"{sdk} looks {item.key!r} up as a {read.type.value}, and not as a {item.type.value}"
            yield sdk_type.at(item, message, f"its encoding is {read.encodings}")
