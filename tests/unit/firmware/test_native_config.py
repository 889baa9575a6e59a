"""The native build's configuration is the one that ESP-IDF makes of the Kconfig files for an ESP32."""

from __future__ import annotations

import re

from fctry.partitions.table import PartitionTable
from tests.unit.firmware.conftest import ROOT

FIRMWARE = ROOT / "firmware"
KCONFIGS = [FIRMWARE / "components" / "factory_data" / "Kconfig", FIRMWARE / "main" / "Kconfig.projbuild"]
MET = ("depends on FACTORY_DATA_CONSOLE_UNTIL_SEALED",)


def kconfig_defaults() -> dict[str, str]:
    """The first default of each option; options that are off by default are not defined."""
    defaults: dict[str, str] = {}
    for kconfig in KCONFIGS:
        name, is_choice = "", False
        for line in map(str.strip, kconfig.read_text().splitlines()):
            if line.startswith(("config ", "choice ")):
                is_choice, name = line.startswith("choice"), "CONFIG_" + line.split()[1]
            elif line.startswith("depends on ") and line not in MET:
                name = ""
            elif line.startswith("default ") and name:
                value = line.removeprefix("default ").split(" if ")[0]
                defaults.setdefault(*(("CONFIG_" + value, "1") if is_choice else (name, value)))
    return {name: value for name, value in defaults.items() if value != "n"}


def test_native_sdkconfig_has_the_defaults_of_kconfig() -> None:
    sdkconfig = FIRMWARE / "native" / "port" / "include" / "sdkconfig.h"
    text = re.sub(r'\\\n\s*|" \\\n\s*"', "", sdkconfig.read_text())  # lines that go on below
    lines = [line.split(" ", 2) for line in text.splitlines() if line.startswith("#define")]
    defined = {name: value for _, name, value in lines}
    assert defined.pop("CONFIG_IDF_TARGET") == '"esp32"'
    assert defined.pop("CONFIG_ESP_MAC_UNIVERSAL_MAC_ADDRESSES") == "4"  # ESP-IDF's own default for it
    assert defined == kconfig_defaults()


def test_factory_partition_of_kconfig_is_in_the_partition_table(table: PartitionTable) -> None:
    assert table.find(kconfig_defaults()["CONFIG_FACTORY_DATA_PARTITION_LABEL"].strip('"')).readonly
