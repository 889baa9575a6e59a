"""Rules about the project's configuration: does it use this table, and does the table have what it wants?

Source: ESP-IDF v5.5.5 components/partition_table/Kconfig.projbuild, components/esp_phy/Kconfig,
components/nvs_flash/Kconfig, components/nvs_sec_provider/Kconfig, components/espcoredump/Kconfig; for leftovers v3.0
components/partition_table/Kconfig.projbuild.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fctry.partitions.layout import Layout
from fctry.partitions.problems import Problem
from fctry.partitions.sdkconfig import Sdkconfig
from fctry.partitions.spaces import place_for
from fctry.partitions.table import DATA, DATA_COREDUMP, DATA_NVS_KEYS, DATA_PHY, SECTOR_BYTES

CUSTOM, FILE_NAME = "CONFIG_PARTITION_TABLE_CUSTOM", "CONFIG_PARTITION_TABLE_CUSTOM_FILENAME"
TABLE_OFFSET = "CONFIG_PARTITION_TABLE_OFFSET"
LEFTOVERS = (
    "CONFIG_PARTITION_TABLE_CUSTOM_APP_BIN_OFFSET",
    "CONFIG_PARTITION_TABLE_CUSTOM_PHY_DATA_OFFSET",
    "CONFIG_APP_OFFSET",
    "CONFIG_PHY_DATA_OFFSET",
)


def problems(layout: Layout, config: Sdkconfig) -> Iterator[Problem]:
    """What all rules of this module find."""
    yield from uses_this_table(layout, config)
    yield from table_offset(layout, config)
    yield from needed_partitions(layout, config)
    yield from leftovers(config)


def uses_this_table(layout: Layout, config: Sdkconfig) -> Iterator[Problem]:
    name = Path(layout.file).name
    if layout.is_binary:
        return  # a configuration names CSVs only
    if not config.is_on(CUSTOM):
        message = f"{CUSTOM} is not set: the project uses one of ESP-IDF's own tables, not `{name}`"
        hint = f'set {CUSTOM}=y and {FILE_NAME}="{name}"'
        yield _problem("layout-sdkconfig-custom", config, CUSTOM, message, hint)
    elif Path(config.table_file).name != name:
        message = f"{FILE_NAME} is `{config.table_file}`, not `{name}`"
        yield _problem("layout-sdkconfig-file", config, FILE_NAME, message, f'set {FILE_NAME}="{name}"')


def table_offset(layout: Layout, config: Sdkconfig) -> Iterator[Problem]:
    configured = config.number(TABLE_OFFSET)
    used = layout.options.table_offset
    if configured is None:
        return
    if configured % SECTOR_BYTES:
        hint = f"use {configured // SECTOR_BYTES * SECTOR_BYTES:#x}"
        message = f"{TABLE_OFFSET} is {configured:#x}, not a multiple of 0x1000"
        yield _problem("layout-sdkconfig-offset", config, TABLE_OFFSET, message, hint)
    elif configured != used:
        message = f"{TABLE_OFFSET} is {configured:#x}, the table is looked at for {used:#x}"
        hint = "leave --table-offset away, or change the configuration"
        yield _problem("layout-sdkconfig-offset", config, TABLE_OFFSET, message, hint)


def needed_partitions(layout: Layout, config: Sdkconfig) -> Iterator[Problem]:
    for code, option, subtype, size_bytes, line in _needs(config):
        if layout.is_complete and not any(p.is_of(DATA, subtype) for _, p in layout.entries):
            offset = place_for(layout, size_bytes, DATA)
            where = "" if offset is None else f"{offset:#x}"
            name, kind = line.split("/")
            flags = " encrypted" if subtype == DATA_NVS_KEYS else ""
            message = f"{option} is set, but there is no data/{kind} partition"
            hint = f"add the line `{name}, data, {kind}, {where}, {size_bytes:#x},{flags}`, or unset {option}"
            yield _problem(code, config, option, message, hint)


def _needs(config: Sdkconfig) -> Iterator[tuple[str, str, int, int, str]]:
    """Code, option, subtype, size and name/subtype of each partition that the configuration needs."""
    for phy in ("CONFIG_ESP_PHY_INIT_DATA_IN_PARTITION", "CONFIG_ESP32_PHY_INIT_DATA_IN_PARTITION"):
        if config.is_on(phy):
            yield "layout-sdkconfig-phy", phy, DATA_PHY, SECTOR_BYTES, "phy_init/phy"
            break
    encryption = "CONFIG_NVS_ENCRYPTION"
    by_default = not config.is_whole and encryption not in config.values
    flash_encryption = "CONFIG_SECURE_FLASH_ENC_ENABLED"
    is_encrypted = config.is_on(encryption) or (by_default and config.is_on(flash_encryption))
    if is_encrypted and not config.is_on("CONFIG_NVS_SEC_KEY_PROTECT_USING_HMAC"):
        option = encryption if config.is_on(encryption) else flash_encryption
        yield "layout-sdkconfig-nvs-keys", option, DATA_NVS_KEYS, SECTOR_BYTES, "nvs_keys/nvs_keys"
    for coredump in ("CONFIG_ESP_COREDUMP_ENABLE_TO_FLASH", "CONFIG_ESP32_ENABLE_COREDUMP_TO_FLASH"):
        if config.is_on(coredump):
            yield "layout-sdkconfig-coredump", coredump, DATA_COREDUMP, 0x10000, "coredump/coredump"
            break


def leftovers(config: Sdkconfig) -> Iterator[Problem]:
    for option in LEFTOVERS:
        if option in config.values:
            message = f"{option} has had no meaning since ESP-IDF v3.1: the CSV alone says where things are"
            yield _problem("layout-sdkconfig-leftover", config, option, message, "remove the line")


def _problem(code: str, config: Sdkconfig, option: str, message: str, hint: str) -> Problem:
    return Problem(code, config.lines.get(option, 0), message, hint, config.file)
