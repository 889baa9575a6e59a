"""Defaults files as esp-idf-kconfig reads them, the library that ESP-IDF's build runs."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import esp_kconfiglib
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from fctry.partitions.options import Options
from fctry.partitions.sdkconfig import read_sdkconfig

KCONFIG = Path(__file__).parents[1] / "data/partitions/kconfig/Kconfig"
NAMES = (
    "ESPTOOLPY_FLASHSIZE_1MB",
    "ESPTOOLPY_FLASHSIZE_4MB",
    "ESPTOOLPY_FLASHSIZE_16MB",
    "ESPTOOLPY_FLASHSIZE",
    "PARTITION_TABLE_SINGLE_APP",
    "PARTITION_TABLE_TWO_OTA",
    "PARTITION_TABLE_CUSTOM",
    "PARTITION_TABLE_CUSTOM_FILENAME",
    "PARTITION_TABLE_OFFSET",
    "PARTITION_TABLE_MD5",
    "BOOTLOADER_OFFSET_IN_FLASH",
    "ESP_PHY_INIT_DATA_IN_PARTITION",
    "ESP_COREDUMP_ENABLE_TO_FLASH",
    "ESP_COREDUMP_ENABLE_TO_NONE",
    "NO_OPTION",
)
BOOLS = tuple(name for name in NAMES if name not in ("ESPTOOLPY_FLASHSIZE", "NO_OPTION"))
VALUES = (
    "y",
    "n",
    "y # note",
    "n#",
    "yes",
    "no",
    "1",
    "",
    " y",
    '"y"',
    '"my.csv"',
    '"a\\"b.csv" # c',
    "my.csv",
)
NUMBERS = ("0x9000", "9000", "0x10000 # here", "0X9000", "-0x1000", "lots", '"16MB"', '"0x9000"', "0x")


def joined(*choices: Sequence[str]) -> st.SearchStrategy[str]:
    """One of each, drawn at once: a draw for each takes most of the time."""
    return st.sampled_from(["".join(parts) for parts in itertools.product(*choices)])


assignments = st.builds(
    "{}CONFIG_{}{}".format,
    joined(["", "", "", "", "", " ", "\t"], ["", "", "", "", "# ", "#"]),
    st.sampled_from(NAMES),
    joined(["=", "=", "=", "=", " = ", " ="], VALUES + NUMBERS),
)
unset = joined(["# CONFIG_"], BOOLS, [" is not set"], ["", " ", " x"])
usual = joined(["CONFIG_"], BOOLS, ["="], "yyyn")
lines = st.one_of(
    usual, assignments, unset, st.sampled_from(["", "# comment", "MY_CHECK=y", "CONFIG_X", "=y"])
)
texts = st.builds(str.join, st.sampled_from(["\n", "\n", "\r\n"]), st.lists(lines, max_size=10))


def _expected(folder: Path, monkeypatch: pytest.MonkeyPatch, files: list[Path]) -> dict[str, object]:
    monkeypatch.setenv("IDF_TARGET", "esp32")
    monkeypatch.setenv("KCONFIG_REPORT_VERBOSITY", "quiet")
    config = esp_kconfiglib.Kconfig(str(KCONFIG), parser_version=1, print_report=False)
    for file in files:
        try:
            config.load_config(str(file), replace=False)
        except (
            AttributeError
        ):  # 3.14.0 ends so at a text without quotes for an option that was assigned already
            reject()
    value = {name: symbol.str_value for name, symbol in config.syms.items()}
    return {
        "flash": value["ESPTOOLPY_FLASHSIZE"],
        "tables": [value["PARTITION_TABLE_CUSTOM_FILENAME"] or "partitions.csv"]
        * (value["PARTITION_TABLE_CUSTOM"] == "y"),
        "offset": int(value["PARTITION_TABLE_OFFSET"], 16),
        "md5": value["PARTITION_TABLE_MD5"] == "y",
        "bootloader": int(value["BOOTLOADER_OFFSET_IN_FLASH"], 16),
        "phy": value["ESP_PHY_INIT_DATA_IN_PARTITION"] == "y",
        "coredump": value["ESP_COREDUMP_ENABLE_TO_FLASH"] == "y",
    }


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts, st.none() | texts)
def test_defaults_are_read_as_esp_idf_kconfig_reads_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, of_target: str | None
) -> None:
    files = [tmp_path / "sdkconfig.defaults", tmp_path / "sdkconfig.defaults.esp32"]
    files[0].write_bytes(text.encode())
    files[1].unlink(missing_ok=True)
    if of_target is None:
        del files[1]
    else:
        files[1].write_bytes(of_target.encode())
    found = read_sdkconfig(files[0], "esp32")
    assert {
        "flash": f"{(found.flash_size_bytes or 0) >> 20}MB",
        "tables": list(found.tables),
        "offset": found.number("CONFIG_PARTITION_TABLE_OFFSET") or Options().table_offset,
        "md5": not found.is_off("CONFIG_PARTITION_TABLE_MD5"),
        "bootloader": found.bootloader_offset,
        "phy": found.is_on("CONFIG_ESP_PHY_INIT_DATA_IN_PARTITION"),
        "coredump": found.is_on("CONFIG_ESP_COREDUMP_ENABLE_TO_FLASH"),
    } == _expected(tmp_path, monkeypatch, files)
