"""The remedies that are worked out, and rules at the limits that they draw."""

from __future__ import annotations

from pathlib import Path

import pytest

from fctry.errors import FormatError
from fctry.findings import WARNING, Finding
from fctry.partitions.binary import pack
from fctry.partitions.checker import check
from fctry.partitions.csv import parse_csv
from fctry.partitions.flasher_args import FlasherArgs, FlashFile
from fctry.partitions.layout import layout_of_csv, parse_layout
from fctry.partitions.options import Options
from fctry.partitions.rule import Evidence
from fctry.partitions.sdkconfig import Sdkconfig
from fctry.partitions.source import table_in
from fctry.partitions.spaces import Space, spaces
from fctry.partitions.table import TABLE_OFFSET

NVS = "nvs,data,nvs,0x9000,0x6000"
PHY = "phy,data,phy,0xf000,4K"
FCTRY = "fctry,data,nvs,0x10000,0x6000,readonly"
APPLICATION = "app,app,factory,0x20000,1M"
BASE = (NVS, PHY, FCTRY, APPLICATION)


def _check(*lines: str, options: Options | None = None, evidence: Evidence | None = None) -> list[Finding]:
    return check(parse_layout("\n".join(lines), options=options), evidence or Evidence())


def _remedy(code: str, *lines: str, options: Options | None = None, evidence: Evidence | None = None) -> str:
    (hint,) = [f.hint for f in _check(*lines, options=options, evidence=evidence) if f.code == code]
    return hint


@pytest.mark.parametrize(
    ("code", "lines", "remedy"),
    [
        (
            "layout-overlap",
            ("a,data,fat,,0x1800", "b,data,fat,0xa000,4K"),
            "use the offset 0xb000 or a later one",
        ),
        (
            "layout-overlap",
            ("a,data,fat,,8K", "b,app,factory,0x10000,1M", "c,data,fat,0x18000,4K"),
            "0x110000",
        ),
        ("layout-overlap", ("a,data,fat,,64K", "b,app,factory,0x10000,1M"), "use the offset 0x20000"),
        ("layout-table-overlap", ("a,app,factory,0x0,1M",), "use the offset 0x10000 or a later one"),
        ("layout-offset-alignment", ("a,data,fat,,4K", "b,data,fat,0xa800,4K"), "use 0xb000 or 0xa000,"),
        ("layout-offset-alignment", ("a,data,fat,,8K", "b,data,fat,0xb800,4K"), "use 0xc000 or 0xb000,"),
        ("layout-offset-alignment", ("a,data,fat,,0x2400", "b,data,fat,0xb800,4K"), "use 0xc000, or leave"),
        ("layout-app-size", ("a,app,factory,,0x800",), "use 0x1000"),
        ("layout-no-app", (NVS, PHY, FCTRY), "add the line `factory, app, factory, , 1M,`"),
        (
            "layout-no-app",
            (NVS, PHY, FCTRY, "log,data,fat,0x200000,1M"),
            "`factory, app, factory, 0x20000, 1M,`",
        ),
        (
            "layout-ota-without-otadata",
            (*BASE, "b,app,ota_0,,1M"),
            "add the line `otadata, data, ota, 0x16000, 0x2000,`",
        ),
        ("layout-field-missing", ("a;data;nvs;;4K",), "save it with commas"),
        ("layout-field-missing", ("a\tdata\tnvs\t\t4K",), "save it with commas"),
        ("layout-ota-without-otadata", ("a,app,ota_0,0x10000,1M",), "`otadata, data, ota, , 0x2000,`"),
        ("layout-user-nvs", (PHY, FCTRY, APPLICATION), "add the line `nvs, data, nvs, 0x9000, 0x6000,`"),
        (
            "layout-factory",
            (NVS, PHY, APPLICATION),
            "add the line `fctry, data, nvs, 0x10000, 0x6000, readonly`",
        ),
        (
            "layout-factory",
            (NVS, "app,app,factory,0x10000,1M"),
            "add the line `fctry, data, nvs, , 0x6000, readonly`",
        ),
        ("layout-ota-gap", (*BASE, "b,app,ota_1,,64K", "c,app,ota_3,,64K"), "use the subtype ota_0"),
        (
            "layout-nvs-sectors",
            (NVS, "fctry,data,nvs,0x10000,0x6001,readonly"),
            "use 0x7000, a multiple of 0x1000",
        ),
        ("layout-size-sectors", (*BASE, "a,0x40,1,,1"), "use 0x1000: the rest"),
        ("layout-number", ("a,data,fat,,1.25M",), "write 1280K"),
        ("layout-number", ("a,data,fat,,0.3K",), "write 307"),
        ("layout-number", ("a,data,fat,,64KiB",), "write 64K"),
        ("layout-number", ("a,data,fat,,big",), "a whole number of K (1024) or M (1048576)"),
        ("layout-keyword", ("a,0x50,fat,,4K",), "write a number: this type has no named subtypes"),
        ("layout-keyword", ("a,data,zzzzzz,,4K",), "known are ota, phy, nvs"),
    ],
)
def test_remedy_is_worked_out(code: str, lines: tuple[str, ...], remedy: str) -> None:
    assert remedy in _remedy(code, *lines)


@pytest.mark.parametrize(("size", "needed"), [("1M", "2 MB"), ("3M", "4 MB"), ("4M", "8 MB")])
def test_remedy_for_a_flash_that_is_too_small_is_the_next_size(size: str, needed: str) -> None:
    options = Options(flash_size_bytes=1 << 20)
    assert f"use a flash of {needed}" in _remedy(
        "layout-flash-size", f"a,app,factory,0x10000,{size}", options=options
    )


def test_layout_that_ends_where_the_flash_does_fits() -> None:
    assert _check(*BASE, "log,data,fat,,-2M", options=Options(flash_size_bytes=2 << 20)) == []


@pytest.mark.parametrize(
    ("type_", "is_reserved"), [("0x3e", True), ("0x3f", False), ("0xfe", False), ("0xff", True)]
)
def test_types_from_0x40_to_0xfe_are_free_to_use(type_: str, is_reserved: bool) -> None:
    assert [f.code for f in _check(*BASE, f"own,{type_},1,,4K")] == ["layout-type-reserved"] * is_reserved


@pytest.mark.parametrize(("idf", "is_known"), [((5, 3), False), ((5, 4), True), ((6, 1), True)])
def test_byte_order_mark_is_read_since_v5_4(idf: tuple[int, int], is_known: bool) -> None:
    layout = layout_of_csv("\n".join(BASE).encode("utf-8-sig"), options=Options(idf=idf))
    assert [problem.code for problem in layout.findings] == ["layout-idf"] * (not is_known)


def _build(*files: tuple[str, int, int]) -> Evidence:
    flash_files = tuple(FlashFile(name, offset, Path(f"{name}.bin"), size) for name, offset, size in files)
    return Evidence(build=FlasherArgs("flasher_args.json", flash_files, None, None))


@pytest.mark.parametrize(
    ("file", "codes"),
    [
        (("bootloader", 0x1000, 0x7000), set()),
        (("bootloader", 0x1000, 0x7001), {"layout-build-size"}),
        (("phy", 0xF000, 0x1000), set()),
        (("phy", 0xF000, 0x1001), {"layout-build-size", "layout-build-factory"}),
        (("data", 0x16000, 0x10), {"layout-build-place"}),
        (("data", 0x15FFF, 0x1), {"layout-build-place", "layout-build-factory"}),
        (("app", 0x20000, 0x100000), set()),
        (("app", 0xF000, 0x10), {"layout-build-place"}),
        (("partition-table", 0x8000, 0xC00), set()),
        (("partition-table", 0x7000, 0xC00), {"layout-build-place"}),
    ],
)
def test_build_is_held_against_the_table_to_the_byte(file: tuple[str, int, int], codes: set[str]) -> None:
    found = {finding.code for finding in _check(*BASE, evidence=_build(file))}
    assert found - {"layout-build-merged"} == codes


@pytest.mark.parametrize(("end", "is_covered"), [(0x10000, False), (0x10001, True)])
def test_merged_image_covers_what_lies_before_its_end(end: int, is_covered: bool) -> None:
    found = {finding.code for finding in _check(*BASE, evidence=_build(("x", 0xF000, end - 0xF000)))}
    assert ("layout-build-merged" in found) == is_covered


@pytest.mark.parametrize(
    ("file", "remedy"),
    [
        (("fctry", 0x10000, 0x6000), "take the image out of the build"),
        (("app", 0x10000, 0x6000), "flash app elsewhere, or move `fctry` behind it"),
        (("data", 0x11000, 0x10), "flash data elsewhere"),
    ],
)
def test_remedy_for_a_build_that_flashes_factory_data(file: tuple[str, int, int], remedy: str) -> None:
    assert remedy in _remedy("layout-build-factory", *BASE, evidence=_build(file))


@pytest.mark.parametrize(
    ("option", "code", "remedy"),
    [
        (
            "CONFIG_ESP_COREDUMP_ENABLE_TO_FLASH",
            "layout-sdkconfig-coredump",
            "`coredump, data, coredump, 0x120000, 0x10000,`",
        ),
        (
            "CONFIG_ESP32_ENABLE_COREDUMP_TO_FLASH",
            "layout-sdkconfig-coredump",
            "unset CONFIG_ESP32_ENABLE_COREDUMP",
        ),
        (
            "CONFIG_NVS_ENCRYPTION",
            "layout-sdkconfig-nvs-keys",
            "`nvs_keys, data, nvs_keys, 0xf000, 0x1000, encrypted`",
        ),
        (
            "CONFIG_ESP_PHY_INIT_DATA_IN_PARTITION",
            "layout-sdkconfig-phy",
            "`phy_init, data, phy, 0xf000, 0x1000,`",
        ),
        (
            "CONFIG_ESP32_PHY_INIT_DATA_IN_PARTITION",
            "layout-sdkconfig-phy",
            "unset CONFIG_ESP32_PHY_INIT_DATA",
        ),
    ],
)
def test_remedy_for_a_configuration_is_a_line_to_paste(option: str, code: str, remedy: str) -> None:
    config = Sdkconfig("sdkconfig", {option: "y"}, {option: ("sdkconfig", 7)}, is_whole=True)
    lines = (NVS, FCTRY, APPLICATION, "end,data,fat,0x200000,4K")
    found = _check(*lines, evidence=Evidence(sdkconfig=config))
    (finding,) = [f for f in found if f.code == code]
    assert remedy in finding.hint
    assert (finding.where, finding.line) == ("sdkconfig:7", 7)


@pytest.mark.parametrize(("is_whole", "is_needed"), [(False, True), (True, False)])
def test_nvs_encryption_follows_flash_encryption_by_default_only(is_whole: bool, is_needed: bool) -> None:
    config = Sdkconfig("s", {"CONFIG_SECURE_FLASH_ENC_ENABLED": "y"}, {}, is_whole=is_whole)
    found = {one.code: one.severity for one in _check(*BASE, evidence=Evidence(sdkconfig=config))}
    assert found.get("layout-sdkconfig-nvs-keys") == (WARNING if is_needed else None)


def test_spaces_are_what_is_between_the_table_and_the_end_of_the_flash() -> None:
    layout = parse_layout("\n".join((NVS, FCTRY, APPLICATION)), options=Options(flash_size_bytes=2 << 20))
    assert spaces(layout) == [
        Space(0xF000, 0x10000, is_alignment=False),
        Space(0x16000, 0x20000, is_alignment=True),
        Space(0x120000, 0x200000, is_alignment=False),
    ]
    assert spaces(layout)[0].size_bytes == 0x1000


def test_old_layout_says_who_takes_over_what_is_lost() -> None:
    old = parse_layout("\n".join((*BASE, "log,data,fat,0x120000,64K")))
    (gone,) = _check(*BASE, "web,data,spiffs,0x120000,32K", "more,data,fat,,4K", evidence=Evidence(old=old))
    assert gone.message == "`log` (data/fat at 0x120000) is gone, its flash goes to `web`, `more`"
    assert gone.hint == "keep `log, data/fat, 0x120000, 0x10000`"


def test_factory_partition_of_the_old_layout_is_the_one_that_was_named() -> None:
    old = parse_layout("\n".join((*BASE, "id,data,nvs,0x120000,64K,readonly")))
    evidence = Evidence(old=old, factory="id")
    found = _check(*BASE, "id,data,nvs,0x130000,64K,readonly", evidence=evidence)
    assert [f.code for f in found] == ["layout-against-factory"]


def test_damage_in_a_dump_is_named_with_its_offset_there() -> None:
    dump = bytearray(b"\xff" * TABLE_OFFSET + pack(parse_csv("\n".join(BASE))))
    dump[TABLE_OFFSET + 32] ^= 1
    with pytest.raises(FormatError) as caught:
        table_in(bytes(dump), TABLE_OFFSET, file="dump.bin")
    assert caught.value.offset == TABLE_OFFSET + 32
    assert caught.value.file == "dump.bin"
