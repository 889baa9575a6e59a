"""Rules about the project's configuration: does it use this table, and does the table have what it wants?

Source: ESP-IDF v5.5.5 components/partition_table/Kconfig.projbuild, components/esp_phy/Kconfig,
components/nvs_flash/Kconfig, components/nvs_sec_provider/Kconfig, components/espcoredump/Kconfig; for leftovers v3.0
components/partition_table/Kconfig.projbuild.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fctry.findings import ERROR, WARNING, Finding
from fctry.partitions.additions import NewLine
from fctry.partitions.kconfig import CUSTOM_TABLE, TABLE_FILE
from fctry.partitions.keywords import subtype_name
from fctry.partitions.layout import Layout
from fctry.partitions.rule import Evidence, LayoutRule, Needs
from fctry.partitions.sdkconfig import Sdkconfig
from fctry.partitions.table import DATA, DATA_COREDUMP, DATA_NVS_KEYS, DATA_PHY, SECTOR_BYTES

TABLE_OFFSET = "CONFIG_PARTITION_TABLE_OFFSET"
PHY_OPTIONS = ("CONFIG_ESP_PHY_INIT_DATA_IN_PARTITION", "CONFIG_ESP32_PHY_INIT_DATA_IN_PARTITION")
COREDUMP_OPTIONS = ("CONFIG_ESP_COREDUMP_ENABLE_TO_FLASH", "CONFIG_ESP32_ENABLE_COREDUMP_TO_FLASH")
NVS_ENCRYPTION, FLASH_ENCRYPTION = "CONFIG_NVS_ENCRYPTION", "CONFIG_SECURE_FLASH_ENC_ENABLED"
LEFTOVERS = (
    "CONFIG_PARTITION_TABLE_CUSTOM_APP_BIN_OFFSET",
    "CONFIG_PARTITION_TABLE_CUSTOM_PHY_DATA_OFFSET",
    "CONFIG_APP_OFFSET",
    "CONFIG_PHY_DATA_OFFSET",
)


@LayoutRule("layout-sdkconfig-custom", ERROR, "the project uses a table of its own", needs=Needs.SDKCONFIG)
def custom(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    config, name = evidence.sdkconfig, Path(layout.file).name
    is_known = config and not layout.is_binary and not config.is_unsure(CUSTOM_TABLE)  # it names CSVs only
    if config and is_known and not config.tables:
        message = f"{CUSTOM_TABLE} is not set: the project uses one of ESP-IDF's own tables, not `{name}`"
        yield _at(custom, config, CUSTOM_TABLE, message, f'set {CUSTOM_TABLE}=y and {TABLE_FILE}="{name}"')


@LayoutRule("layout-sdkconfig-file", ERROR, "the project uses this table", needs=Needs.SDKCONFIG)
def file(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    config, name = evidence.sdkconfig, Path(layout.file).name
    if not config or layout.is_binary or config.is_unsure(TABLE_FILE):
        return
    if config.tables and name not in [Path(table).name for table in config.tables]:
        message = f"{TABLE_FILE} is `{config.tables[0]}`, not `{name}`"
        hint = f'set {TABLE_FILE}="{name}"'
        if config.platformio:
            message = f"board_build.partitions of platformio.ini is `{config.tables[0]}`, not `{name}`"
            hint = f"set board_build.partitions = {name}"
        yield _at(file, config, TABLE_FILE, message, hint)


@LayoutRule("layout-sdkconfig-offset", ERROR, "the table's offset is one that works", needs=Needs.SDKCONFIG)
def table_offset(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    config, used = evidence.sdkconfig, layout.options.table_offset
    configured = config.number(TABLE_OFFSET) if config else None
    if not config or configured is None:
        return
    if configured % SECTOR_BYTES:
        hint = f"use {configured // SECTOR_BYTES * SECTOR_BYTES:#x}"
        message = f"{TABLE_OFFSET} is {configured:#x}, not a multiple of 0x1000"
        yield _at(table_offset, config, TABLE_OFFSET, message, hint)
    elif configured != used:
        message = f"{TABLE_OFFSET} is {configured:#x}, the table is looked at for {used:#x}"
        hint = "leave --table-offset away, or change the configuration"
        yield _at(table_offset, config, TABLE_OFFSET, message, hint)


@LayoutRule("layout-sdkconfig-phy", ERROR, "PHY data in a partition has its partition", needs=Needs.SDKCONFIG)
def phy(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    config = evidence.sdkconfig
    if config and (option := config.first_on(*PHY_OPTIONS)):
        yield from _needed(phy, layout, config, option, NewLine("phy_init", DATA, DATA_PHY, SECTOR_BYTES))


@LayoutRule("layout-sdkconfig-nvs-keys", ERROR, "encrypted NVS has its key partition", needs=Needs.SDKCONFIG)
def nvs_keys(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    config = evidence.sdkconfig
    if not config or config.is_on("CONFIG_NVS_SEC_KEY_PROTECT_USING_HMAC"):
        return
    is_default = not config.is_whole and NVS_ENCRYPTION not in config.values
    if option := config.first_on(NVS_ENCRYPTION, *[FLASH_ENCRYPTION] * is_default):
        keys = NewLine("nvs_keys", DATA, DATA_NVS_KEYS, SECTOR_BYTES, "encrypted")
        severity = ERROR if option == NVS_ENCRYPTION else WARNING  # an application without NVS runs
        for one in _needed(nvs_keys, layout, config, option, keys):
            yield one._replace(severity=severity)


@LayoutRule(
    "layout-sdkconfig-coredump", ERROR, "core dumps in flash have their partition", needs=Needs.SDKCONFIG
)
def coredump(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    config = evidence.sdkconfig
    if config and (option := config.first_on(*COREDUMP_OPTIONS)):
        yield from _needed(
            coredump, layout, config, option, NewLine("coredump", DATA, DATA_COREDUMP, 0x10000)
        )


def _needed(
    rule: LayoutRule, layout: Layout, config: Sdkconfig, option: str, missing: NewLine
) -> Iterator[Finding]:
    """Tell that a data partition is missing that `option` needs."""
    if layout.is_complete and not any(p.is_of(DATA, missing.subtype) for _, p in layout.entries):
        message = f"{option} is set, but there is no data/{subtype_name(DATA, missing.subtype)} partition"
        yield _at(rule, config, option, message, f", or unset {option}", missing)


@LayoutRule(
    "layout-sdkconfig-leftover", WARNING, "no option of before ESP-IDF v3.1 is left", needs=Needs.SDKCONFIG
)
def leftover(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    for option in LEFTOVERS:
        if (config := evidence.sdkconfig) and option in config.values:
            message = f"{option} has had no meaning since ESP-IDF v3.1: the CSV alone says where things are"
            yield _at(leftover, config, option, message, "remove the line")


@LayoutRule("layout-sdkconfig-line", WARNING, "every line of the configuration counts", needs=Needs.SDKCONFIG)
def line(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    for ignored in evidence.sdkconfig.ignored if evidence.sdkconfig else ():
        yield line.at(ignored.line, ignored.message, ignored.hint, ignored.file)


def _at(
    rule: LayoutRule, config: Sdkconfig, option: str, message: str, hint: str, adds: NewLine | None = None
) -> Finding:
    of_file, number = config.places.get(option, (config.file, 0))
    return rule.at(number, message, hint, of_file, adds=adds)
