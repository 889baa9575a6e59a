"""What a project's configuration says about its partition table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fctry.errors import InputError
from fctry.findings import WARNING
from fctry.partitions.checker import check
from fctry.partitions.layout import parse_layout
from fctry.partitions.options import Options, SecureBoot
from fctry.partitions.rule import Evidence
from fctry.partitions.sdkconfig import BOOTLOADER_OFFSETS, Sdkconfig, find_sdkconfig, read_sdkconfig
from fctry.project import Settings, open_project

GENERATED = (
    'CONFIG_PARTITION_TABLE_FILENAME="partitions.csv"\n# CONFIG_PARTITION_TABLE_SINGLE_APP is not set\n'
)


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
        ('CONFIG_SECURE_BOOT=y\nCONFIG_IDF_TARGET="esp32s3"', SecureBoot.V2),
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
    generated = GENERATED
    assert not _read(tmp_path, generated, "sdkconfig").options(Options()).md5


def test_json_of_a_build_folder_says_the_same(tmp_path: Path) -> None:
    content = {
        "PARTITION_TABLE_CUSTOM": True,
        "PARTITION_TABLE_CUSTOM_FILENAME": "my.csv",
        "PARTITION_TABLE_MD5": False,
    }
    config = _read(tmp_path, json.dumps({**content, "PARTITION_TABLE_OFFSET": 0x9000}), "sdkconfig.json")
    assert config.tables == ["my.csv"]
    assert config.options(Options()).table_offset == 0x9000
    assert not config.options(Options()).md5


@pytest.mark.parametrize(
    ("chip", "offset"),
    [("esp32", 0x1000), ("esp32s2", 0x1000), ("esp32s3", 0), ("esp32c3", 0), ("esp32p4", 0x2000)],
)
def test_boot_loader_is_where_the_rom_of_the_chip_looks(tmp_path: Path, chip: str, offset: int) -> None:
    assert BOOTLOADER_OFFSETS[chip] == offset
    assert _read(tmp_path, f'CONFIG_IDF_TARGET="{chip}"').bootloader_offset == offset


def test_boot_loader_offset_of_a_generated_configuration_comes_first(tmp_path: Path) -> None:
    offset = "CONFIG_BOOTLOADER_OFFSET_IN_FLASH=0x4000\n"
    generated = offset + GENERATED
    assert _read(tmp_path, generated, "sdkconfig").bootloader_offset == 0x4000
    assert _read(tmp_path, offset).bootloader_offset == 0x1000  # defaults cannot say it


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("CONFIG_A=y\nMY_CHECK=y", 2, "`MY_CHECK=y` is ignored: it is no option"),
        (" CONFIG_A=y", 1, "`CONFIG_A=y` is ignored: it is no option"),
        (
            "CONFIG_PARTITION_TABLE_OFFSET=lots",
            1,
            "OFFSET=lots is ignored: it is not a number such as 0x8000",
        ),
        ("CONFIG_PARTITION_TABLE_CUSTOM=1", 1, "CUSTOM=1 is ignored: it is not y or n"),
        (
            "CONFIG_PARTITION_TABLE_CUSTOM_FILENAME=a.csv",
            1,
            "FILENAME=a.csv is ignored: it is not a text in quotes",
        ),
        (
            'CONFIG_ESPTOOLPY_FLASHSIZE="16MB"',
            1,
            "CONFIG_ESPTOOLPY_FLASHSIZE is ignored: ESP-IDF works it out",
        ),
    ],
)
def test_line_that_esp_idf_ignores_is_a_warning_and_counts_for_nothing(
    tmp_path: Path, text: str, line: int, message: str
) -> None:
    config = _read(tmp_path, text)
    assert config.options(Options()) == _read(tmp_path, "").options(Options())
    layout = parse_layout("nvs,data,nvs,,0x6000", file="partitions.csv")
    (found,) = [
        one for one in check(layout, Evidence(sdkconfig=config)) if one.code == "layout-sdkconfig-line"
    ]
    assert (found.severity, found.where) == (WARNING, f"{tmp_path / 'sdkconfig.defaults'}:{line}")
    assert message in found.message
    assert found.hint


def _flash_mb(config: Sdkconfig | None) -> int | None:
    assert config
    size_bytes = config.options(Options()).flash_size_bytes
    return size_bytes and size_bytes >> 20


SIZE_4, SIZE_16 = "CONFIG_ESPTOOLPY_FLASHSIZE_4MB=y\n", "CONFIG_ESPTOOLPY_FLASHSIZE_16MB=y\n"


@pytest.mark.parametrize(
    ("text", "size_mb"),
    [
        (SIZE_4 + SIZE_16, 16),
        (SIZE_16 + SIZE_4, 4),
        (SIZE_16 + "# CONFIG_ESPTOOLPY_FLASHSIZE_4MB is not set", 16),
        (SIZE_4 + 'CONFIG_ESPTOOLPY_FLASHSIZE="16MB"', 4),
        ("CONFIG_ESPTOOLPY_FLASHSIZE_16MB=y # as the module has", 16),
        (SIZE_16 + 'CONFIG_IDF_TARGET="linux"', 4),
    ],
)
def test_size_of_the_flash_is_the_last_that_was_selected(tmp_path: Path, text: str, size_mb: int) -> None:
    assert _flash_mb(_read(tmp_path, text)) == size_mb


def test_table_of_another_choice_is_no_custom_table(tmp_path: Path) -> None:
    custom, single = "CONFIG_PARTITION_TABLE_CUSTOM=y\n", "CONFIG_PARTITION_TABLE_SINGLE_APP=y\n"
    assert _read(tmp_path, custom + single).tables == []
    assert _read(tmp_path, single + custom).tables == ["partitions.csv"]


def test_defaults_of_the_target_come_on_top(tmp_path: Path) -> None:
    _read(tmp_path, SIZE_16, "sdkconfig.defaults.esp32s3")
    _read(tmp_path, SIZE_4, "sdkconfig.defaults.esp32c3")
    config = _read(tmp_path, 'CONFIG_IDF_TARGET="esp32s3"\n' + SIZE_4)
    assert _flash_mb(config) == 16
    assert _flash_mb(read_sdkconfig(tmp_path / "sdkconfig.defaults", "esp32c3")) == 4
    assert _flash_mb(read_sdkconfig(tmp_path / "sdkconfig.defaults", "esp32")) == 4
    (tmp_path / "partitions.csv").touch()
    assert _flash_mb(open_project(Settings(tmp_path / "partitions.csv")).sdkconfig) == 16


def test_what_only_the_file_of_an_unknown_target_says_is_not_known(tmp_path: Path) -> None:
    _read(tmp_path, SIZE_16 + "CONFIG_PARTITION_TABLE_CUSTOM=y\n", "sdkconfig.defaults.esp32s3")
    config = _read(tmp_path, SIZE_4)
    assert config.options(Options()).flash_size_bytes is None
    layout = parse_layout(
        "nvs,data,nvs,,0x6000\napp,app,factory,,7M", file="partitions.csv", options=config.options(Options())
    )
    assert not {"layout-sdkconfig-custom", "layout-flash-size"} & {
        one.code for one in check(layout, Evidence(sdkconfig=config))
    }


def test_table_that_platformio_names_is_a_custom_table(tmp_path: Path) -> None:
    ini = "[env:a]\nboard_build.partitions = large.csv\n[env:b]\nboard_build.partitions=small.csv\n"
    (tmp_path / "platformio.ini").write_text(ini)
    _read(tmp_path, SIZE_16)
    codes = {}
    for name in ("large.csv", "small.csv", "partitions.csv"):
        layout = parse_layout("nvs,data,nvs,,0x6000", file=name)
        findings = check(layout, Evidence(sdkconfig=find_sdkconfig(tmp_path / name)))
        codes[name] = {one.code for one in findings if one.code.startswith("layout-sdkconfig")}
    assert codes == {"large.csv": set(), "small.csv": set(), "partitions.csv": {"layout-sdkconfig-file"}}


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


NAMED = 'CONFIG_PARTITION_TABLE_FILENAME="x.csv"\n'
NAMED += 'CONFIG_PARTITION_TABLE_CUSTOM=y\nCONFIG_PARTITION_TABLE_CUSTOM_FILENAME="partitions_4mb.csv"\n'


def test_configuration_of_ci_that_names_the_csv_comes_on_top_of_the_defaults(tmp_path: Path) -> None:
    _read(tmp_path, SIZE_4 + "CONFIG_PARTITION_TABLE_OFFSET=0x9000\n")
    _read(tmp_path, NAMED + SIZE_16 + 'CONFIG_IDF_TARGET="esp32p4"\n', "sdkconfig.ci.a")
    _read(tmp_path, "CONFIG_PARTITION_TABLE_CUSTOM=y\n", "sdkconfig.ci.b")
    config = find_sdkconfig(tmp_path / "partitions_4mb.csv")
    assert config
    assert (_flash_mb(config), config.options(Options()).table_offset) == (16, 0x9000)
    assert config.bootloader_offset == 0x2000
    assert _flash_mb(find_sdkconfig(tmp_path / "partitions.csv")) == 4


def test_configuration_above_a_table_that_it_names_is_found(tmp_path: Path) -> None:
    (tmp_path / "tables/v2").mkdir(parents=True)
    _read(tmp_path, NAMED.replace("partitions_4mb", "tables/v2/c3") + SIZE_16, "sdkconfig.defaults.esp32c3")
    _read(tmp_path, NAMED.replace("partitions_4mb", "tables/large") + SIZE_4)
    config = find_sdkconfig(tmp_path / "tables/v2/c3.csv")
    assert config
    assert (config.target, _flash_mb(config)) == ("esp32c3", 16)
    assert find_sdkconfig(tmp_path / "tables/large.csv")
    assert find_sdkconfig(tmp_path / "tables/v2/large.csv") is None


def test_what_several_configurations_that_name_the_csv_disagree_on_is_not_known(tmp_path: Path) -> None:
    _read(tmp_path, NAMED + SIZE_16, "sdkconfig.ci.a")
    _read(tmp_path, NAMED + SIZE_4, "sdkconfig.ci.b")
    _read(tmp_path, NAMED, "sdkconfig.old")
    config = find_sdkconfig(tmp_path / "partitions_4mb.csv")
    assert config
    assert config.tables == ["partitions_4mb.csv"]
    assert _flash_mb(config) is None
    _read(tmp_path, GENERATED, "sdkconfig")
    assert find_sdkconfig(tmp_path / "partitions_4mb.csv") is None


def test_generated_configuration_is_preferred_to_defaults(tmp_path: Path) -> None:
    _read(tmp_path, "")
    _read(tmp_path, "", "sdkconfig")
    found = find_sdkconfig(tmp_path / "partitions.csv")
    assert found
    assert found.file == str(tmp_path / "sdkconfig")


def test_no_configuration_beside_a_csv_is_none(tmp_path: Path) -> None:
    assert find_sdkconfig(tmp_path / "partitions.csv") is None


def test_configuration_that_says_little_comes_on_top_of_the_defaults(tmp_path: Path) -> None:
    _read(tmp_path, 'CONFIG_IDF_TARGET="esp32s3"\n' + SIZE_4)
    _read(tmp_path, SIZE_16, "sdkconfig.defaults.esp32s3")
    _read(tmp_path, "CONFIG_PARTITION_TABLE_OFFSET=0x9000\n", "sdkconfig")
    config = find_sdkconfig(tmp_path / "partitions.csv")
    assert _flash_mb(config) == 16
    assert config
    assert config.options(Options()).table_offset == 0x9000
    _read(tmp_path, SIZE_4 + GENERATED, "sdkconfig")
    assert _flash_mb(find_sdkconfig(tmp_path / "partitions.csv")) == 4


@pytest.mark.parametrize(
    ("ini", "text", "size_mb"),
    [
        ("board_upload.flash_size = 8MB", SIZE_16, 8),
        ("board_upload.flash_size = 8MB\n[env:b]\nboard_upload.flash_size=4MB", SIZE_16, None),
        ("board = esp32dev", SIZE_16, 16),
        ("board = esp32dev", "", None),
    ],
)
def test_flash_of_a_platformio_project_is_what_its_file_says(
    tmp_path: Path, ini: str, text: str, size_mb: int | None
) -> None:
    (tmp_path / "platformio.ini").write_text(f"[env:a]\nboard_build.partitions = partitions.csv\n{ini}\n")
    _read(tmp_path, text)
    assert _flash_mb(find_sdkconfig(tmp_path / "partitions.csv")) == size_mb


@pytest.mark.parametrize("offset", ["3.864", '"soon"', "-1", "null", "[]"])
def test_number_of_a_build_folder_that_is_none_is_refused(tmp_path: Path, offset: str) -> None:
    with pytest.raises(InputError, match=r"CONFIG_PARTITION_TABLE_OFFSET is `.*`: no number"):
        _read(tmp_path, f'{{"PARTITION_TABLE_OFFSET": {offset}}}', "sdkconfig.json")


def test_byte_order_mark_of_a_configuration_is_named(tmp_path: Path) -> None:
    (ignored,) = _read(tmp_path, "\ufeffCONFIG_PARTITION_TABLE_CUSTOM=y\n").ignored
    assert ignored.message == "`CONFIG_PARTITION_TABLE_CUSTOM=y` is ignored: it is no option"
    assert ignored.hint == "save the file without byte-order mark"
