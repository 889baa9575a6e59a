"""What a project's configuration says about its partition table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fctry.errors import InputError
from fctry.partitions.options import Options, SecureBoot
from fctry.partitions.sdkconfig import BOOTLOADER_OFFSETS, Sdkconfig, find_sdkconfig, read_sdkconfig


def _read(folder: Path, text: str, name: str = "sdkconfig.defaults") -> Sdkconfig:
    path = folder / name
    path.write_text(text)
    return read_sdkconfig(path)


def test_defaults_are_those_of_kconfig(tmp_path: Path) -> None:
    options = _read(tmp_path, "").options(Options())
    assert options.table_offset == 0x8000
    assert options.flash_size_bytes == 2 << 20
    assert options.primary_bootloader_offset == 0x1000
    assert options.secure_boot is SecureBoot.NONE
    assert options.md5


def test_options_are_taken_from_the_configuration(tmp_path: Path) -> None:
    config = _read(
        tmp_path,
        "\n".join(
            (
                'CONFIG_IDF_TARGET="esp32p4"',
                'CONFIG_IDF_INIT_VERSION="5.4.1"',
                "CONFIG_PARTITION_TABLE_OFFSET=0xb000",
                "CONFIG_BOOTLOADER_RECOVERY_OFFSET=0x3f0000",
                "CONFIG_ESPTOOLPY_FLASHSIZE_16MB=y",
                "# CONFIG_PARTITION_TABLE_MD5 is not set",
                "CONFIG_SECURE_BOOT=y",
                "CONFIG_SECURE_BOOT_V2_ENABLED=y",
            )
        ),
    )
    options = config.options(Options())
    assert (options.table_offset, options.primary_bootloader_offset) == (0xB000, 0x2000)
    assert options.recovery_bootloader_offset == 0x3F0000
    assert options.flash_size_bytes == 16 << 20
    assert options.secure_boot is SecureBoot.V2
    assert options.idf == (5, 4)
    assert not options.md5


@pytest.mark.parametrize(
    ("text", "secure_boot"),
    [
        ("CONFIG_SECURE_BOOT=y", SecureBoot.V1),
        ("CONFIG_SECURE_BOOT=y\nCONFIG_IDF_TARGET=esp32s3", SecureBoot.V2),
        ("CONFIG_SECURE_BOOT_V1_ENABLED=y", SecureBoot.V1),
        ("CONFIG_SECURE_BOOT_V1_ENABLED=y\nCONFIG_SECURE_BOOT_ALLOW_SHORT_APP_PARTITION=y", SecureBoot.NONE),
        ("# CONFIG_SECURE_BOOT is not set", SecureBoot.NONE),
    ],
)
def test_secure_boot_is_what_the_build_gives_to_gen_esp32part(
    tmp_path: Path, text: str, secure_boot: SecureBoot
) -> None:
    assert _read(tmp_path, text).secure_boot is secure_boot


def test_option_that_a_generated_file_does_not_have_is_off(tmp_path: Path) -> None:
    generated = 'CONFIG_PARTITION_TABLE_FILENAME="partitions.csv"\n'
    assert not _read(tmp_path, generated, "sdkconfig").options(Options()).md5


def test_json_of_a_build_folder_says_the_same(tmp_path: Path) -> None:
    content = {
        "PARTITION_TABLE_CUSTOM": True,
        "PARTITION_TABLE_CUSTOM_FILENAME": "my.csv",
        "PARTITION_TABLE_MD5": False,
    }
    config = _read(tmp_path, json.dumps({**content, "PARTITION_TABLE_OFFSET": 0x9000}), "sdkconfig.json")
    assert config.table_file == "my.csv"
    assert config.options(Options()).table_offset == 0x9000
    assert not config.options(Options()).md5


@pytest.mark.parametrize(
    ("chip", "offset"),
    [("esp32", 0x1000), ("esp32s2", 0x1000), ("esp32s3", 0), ("esp32c3", 0), ("esp32p4", 0x2000)],
)
def test_boot_loader_is_where_the_rom_of_the_chip_looks(tmp_path: Path, chip: str, offset: int) -> None:
    assert BOOTLOADER_OFFSETS[chip] == offset
    assert _read(tmp_path, f'CONFIG_IDF_TARGET="{chip}"').bootloader_offset == offset


def test_boot_loader_offset_of_the_configuration_comes_first(tmp_path: Path) -> None:
    assert _read(tmp_path, "CONFIG_BOOTLOADER_OFFSET_IN_FLASH=0x4000").bootloader_offset == 0x4000


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("CONFIG_A=y\nnonsense", 2, "`nonsense` is no option"),
        ("CONFIG_PARTITION_TABLE_OFFSET=lots", 1, "is `lots`, which is not a number"),
    ],
)
def test_bad_line_is_named(tmp_path: Path, text: str, line: int, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        _read(tmp_path, text).options(Options())
    assert caught.value.line == line
    assert caught.value.hint


def test_bad_json_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not JSON"):
        _read(tmp_path, "{", "sdkconfig.json")


def test_boot_loader_behind_the_table_is_refused() -> None:
    with pytest.raises(InputError, match="is not before the partition table"):
        Options(table_offset=0x1000, primary_bootloader_offset=0x1000)


@pytest.mark.parametrize(
    ("csv", "text", "is_found"),
    [
        ("partitions.csv", "", True),
        (
            "partitions.csv",
            'CONFIG_PARTITION_TABLE_CUSTOM=y\nCONFIG_PARTITION_TABLE_CUSTOM_FILENAME="other.csv"',
            True,
        ),
        ("partitions_4mb.csv", "", False),
        (
            "partitions_4mb.csv",
            'CONFIG_PARTITION_TABLE_CUSTOM=y\nCONFIG_PARTITION_TABLE_CUSTOM_FILENAME="partitions_4mb.csv"',
            True,
        ),
    ],
)
def test_configuration_beside_a_csv_is_found_when_it_is_about_that_csv(
    tmp_path: Path, csv: str, text: str, is_found: bool
) -> None:
    _read(tmp_path, text)
    assert (find_sdkconfig(tmp_path / csv) is not None) == is_found


def test_generated_configuration_is_preferred_to_defaults(tmp_path: Path) -> None:
    _read(tmp_path, "")
    _read(tmp_path, "", "sdkconfig")
    found = find_sdkconfig(tmp_path / "partitions.csv")
    assert found
    assert found.file == str(tmp_path / "sdkconfig")


def test_no_configuration_beside_a_csv_is_none(tmp_path: Path) -> None:
    assert find_sdkconfig(tmp_path / "partitions.csv") is None
