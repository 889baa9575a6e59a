"""The partition line: placed by the layout rules, so that no partition that is there moves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from fctry.errors import InputError
from fctry.partitions.additions import with_line
from fctry.partitions.checker import enforced_findings
from fctry.partitions.layout import Layout, layout_of_csv
from fctry.partitions.placing import Entry
from fctry.partitions.rules.recipe import factory_line
from fctry.partitions.sdkconfig import Sdkconfig
from fctry.partitions.table import FACTORY_PARTITION, NO_PARTITION
from fctry.project import LABEL, Settings, open_project

# Source: ESP-IDF v5.5.5 components/partition_table/partitions_*.csv: what a project has whose sdkconfig names no CSV.
_HEADER = "# Name, Type, SubType, Offset, Size, Flags\n"
_NVS, _PHY = "nvs, data, nvs, , 0x6000,\n", "phy_init, data, phy, , 0x1000,\n"
_OTADATA = "otadata, data, ota, , 0x2000,\n"
BUILT_IN = {
    "CONFIG_PARTITION_TABLE_SINGLE_APP": _HEADER + _NVS + _PHY + "factory, app, factory, , 1M,\n",
    "CONFIG_PARTITION_TABLE_SINGLE_APP_LARGE": _HEADER + _NVS + _PHY + "factory, app, factory, , 1500K,\n",
    "CONFIG_PARTITION_TABLE_TWO_OTA": _HEADER
    + "nvs, data, nvs, , 0x4000,\n"
    + _OTADATA
    + _PHY
    + "factory, app, factory, , 1M,\nota_0, app, ota_0, , 1M,\nota_1, app, ota_1, , 1M,\n",
    "CONFIG_PARTITION_TABLE_TWO_OTA_LARGE": _HEADER
    + _NVS
    + _OTADATA
    + _PHY
    + "ota_0, app, ota_0, , 1700K,\nota_1, app, ota_1, , 1700K,\n",
}
OTHERS = (
    "CONFIG_PARTITION_TABLE_SINGLE_APP_ENCRYPTED_NVS",
    "CONFIG_PARTITION_TABLE_SINGLE_APP_LARGE_ENC_NVS",
    "CONFIG_PARTITION_TABLE_TWO_OTA_ENCRYPTED_NVS",
    "CONFIG_PARTITION_TABLE_SINGLE_APP_TEE",
    "CONFIG_PARTITION_TABLE_TWO_OTA_TEE",
)


def table_text(settings: Settings, sdkconfig: Sdkconfig | None, text: str | None) -> str:
    """The table with a factory partition: `text`, or ESP-IDF's own that the project uses, with a line more.

    Raises InputError when it cannot be read, or has no room.
    """
    if text is None:
        text = _built_in(settings.partitions, sdkconfig)
    layout = _read(settings, text)
    if settings.partition == NO_PARTITION or _factory_entries(layout, settings, sdkconfig):
        return text
    made = with_line(text, layout, factory_line(settings.partition or _label(sdkconfig)))
    if {*layout.table} - {*_read(settings, made).table}:
        raise InputError(
            "a new line would move other partitions", hint="give each its offset", file=settings.partitions
        )
    return made


def factory_name(settings: Settings, sdkconfig: Sdkconfig | None, text: str) -> str:
    """What the factory partition of the table is called."""
    entries = _factory_entries(_read(settings, text), settings, sdkconfig)
    return entries[0].partition.name if entries else FACTORY_PARTITION


def _factory_entries(layout: Layout, settings: Settings, sdkconfig: Sdkconfig | None) -> list[Entry]:
    return layout.factory_entries(settings.partition) or (
        [] if settings.partition else layout.factory_entries(_label(sdkconfig))
    )


def _label(sdkconfig: Sdkconfig | None) -> str:
    return sdkconfig.text(LABEL, FACTORY_PARTITION) if sdkconfig else FACTORY_PARTITION


def _read(settings: Settings, text: str) -> Layout:
    options = open_project(replace(settings, partition=None)).options
    layout = layout_of_csv(text.encode(), file=settings.partitions, options=options)
    for finding in enforced_findings(layout):
        raise InputError(
            finding.message, hint=finding.hint, file=settings.partitions, line=finding.line or None
        )
    return layout


def _built_in(file: Path, sdkconfig: Sdkconfig | None) -> str:
    if sdkconfig and (other := sdkconfig.first_on(*OTHERS)):
        raise InputError(
            f"the project uses a table of ESP-IDF's with more than this knows ({other})",
            hint=f"copy that table to {file.name}, and set CONFIG_PARTITION_TABLE_CUSTOM",
            file=file,
        )
    chosen = sdkconfig.first_on(*BUILT_IN) if sdkconfig else None
    return BUILT_IN[chosen or "CONFIG_PARTITION_TABLE_SINGLE_APP"]
