"""Reading and writing partition tables as CSV."""

from __future__ import annotations

from pathlib import Path

import pytest

from fctry.errors import InputError
from fctry.partitions.csv import format_csv, parse_csv, read_csv
from fctry.partitions.keywords import SUBTYPES, TYPES, Keywords
from fctry.partitions.options import Options
from fctry.partitions.table import Partition, PartitionTable


def test_empty_offsets_follow_the_partition_before_and_applications_are_aligned() -> None:
    table = parse_csv("nvs,data,nvs,,0x6000\nphy,data,phy,,4K\napp,app,factory,,1M\nend,data,fat,,64K")
    assert [partition.offset for partition in table] == [0x9000, 0xF000, 0x10000, 0x110000]


def test_first_empty_offset_comes_after_a_table_that_was_moved() -> None:
    assert (
        parse_csv("nvs,data,nvs,,0x6000", options=Options(table_offset=0x10000)).find("nvs").offset == 0x11000
    )


def test_negative_size_is_the_address_at_which_the_partition_ends() -> None:
    assert parse_csv("nvs,data,nvs,0x9000,-0xf000").find("nvs").size_bytes == 0x6000


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [
        ("0x6000", 0x6000),
        ("24576", 24576),
        ("24K", 24576),
        ("24k", 24576),
        ("1M", 1 << 20),
        ("0o60000", 24576),
    ],
)
def test_size_is_read_in_every_notation(text: str, size_bytes: int) -> None:
    assert parse_csv(f"a,data,fat,0x10000,{text}").find("a").size_bytes == size_bytes


@pytest.mark.parametrize(
    ("type_name", "subtype_name"),
    [(type_, subtype) for type_, number in TYPES.items() for subtype in SUBTYPES[number]],
)
def test_every_named_subtype_is_read_and_written_back(type_name: str, subtype_name: str) -> None:
    options = Options(primary_bootloader_offset=0x1000, recovery_bootloader_offset=0x3F0000)
    size = "0x2000" if subtype_name in ("ota", "tee_ota") else "0x10000"
    table = parse_csv(f"a,{type_name.upper()},{subtype_name},,{size}", options=options)
    partition = table.find("a")
    assert (partition.type, partition.subtype) == (TYPES[type_name], SUBTYPES[TYPES[type_name]][subtype_name])
    assert format_csv(table).splitlines()[-1].startswith(f"a,{type_name},{subtype_name},")


def test_primary_entries_get_their_places_from_the_options() -> None:
    text = "bl,bootloader,primary,N/A,N/A\npt,partition_table,primary,N/A,N/A\nnvs,data,nvs,,0x6000"
    table = parse_csv(text, options=Options(table_offset=0x9000, primary_bootloader_offset=0x2000))
    assert [(p.offset, p.size_bytes) for p in table] == [(0x2000, 0x7000), (0x9000, 0x1000), (0xA000, 0x6000)]


def test_extra_subtypes_are_names_like_any_other() -> None:
    options = Options(keywords=Keywords().with_extra(["data, calibration, 0x40"]))
    table = parse_csv("cal,data,calibration,0x9000,4K", options=options)
    assert table.find("cal").subtype == 0x40
    assert "cal,data,calibration,0x9000,4K," in format_csv(table, options.keywords)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("data, nvs2", "is not `type, subtype, value`"),
        ("disk, x, 0x40", "is not `type, subtype, value`"),
        ("data, x, zz", "`zz` is not a hex number"),
        ("data, x, 0x100", "0x100 is not in"),
        ("data, x, 0x02", "0x2 is already the number"),
    ],
)
def test_extra_subtype_is_refused_with_what_is_wrong_about_it(line: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Keywords().with_extra([line])


def test_flags_are_separated_by_a_colon() -> None:
    partition = parse_csv("a,data,fat,0x9000,4K,encrypted:readonly").find("a")
    assert partition.encrypted
    assert partition.readonly


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32-be"])
def test_byte_order_marks_are_understood(tmp_path: Path, encoding: str) -> None:
    mark = "\ufeff" if encoding.endswith("-be") else ""
    path = tmp_path / "partitions.csv"
    path.write_bytes((mark + "# é\nnvs,data,nvs,0x9000,0x6000\n").encode(encoding))
    assert read_csv(path).find("nvs").size_bytes == 0x6000


def test_variables_are_replaced_by_the_values_given() -> None:
    options = Options(variables={"SIZE": "24K"})
    assert parse_csv("a,data,fat,0x9000,$SIZE", options=options).find("a").size_bytes == 24576
    assert parse_csv("a,data,fat,0x9000,${SIZE}", options=options).find("a").size_bytes == 24576


@pytest.mark.parametrize(
    ("text", "line", "message", "hint"),
    [
        ("nvs", 1, "the type is missing", "second column"),
        ("# c\n\na,app,,,1M", 3, "the subtype of an application is missing", "ota_0 to ota_15"),
        ("nvs,data,nvs,,", 1, "the size is missing", "fifth column"),
        ("nvs,data,nvs,,1.5M", 1, "the size `1.5M` is not a number", "write 1536K"),
        ("nvs,data,nvs,,64KB", 1, "the size `64KB` is not a number", "write 64K"),
        ("nvs,data,nsv,,24K", 1, "unknown subtype `nsv`", "did you mean `nvs`?"),
        ("nvs,dta,nvs,,24K", 1, "unknown type `dta`", "did you mean `data`?"),
        ("nvs,data,nvs,,24K,read-only", 1, "unknown flag `read-only`", "`encrypted:readonly`"),
        ("nvs,data,0x102,,24K", 1, "the subtype 0x102 is not in 0 to 0xFF", "0xFE"),
        ("$X nvs,data,nvs,,24K", 1, "the variable `X` is not set", "X=…"),
        ("bl,bootloader,primary,,", 1, "the offset of the primary boot loader is not known", "--sdkconfig"),
        ("nvs,data,nvs,0x9000,-0x8000", 1, "would end at 0x8000, before its offset 0x9000", "later"),
        ("nvs,data,nvs,0x8000,24K", 1, "is inside or before the partition table", "0x9000 or a later"),
        (
            "a,data,fat,,16K\nb,data,spiffs,0xb000,4K",
            2,
            "`b` at 0xb000 overlaps `a`",
            "use the offset 0xd000",
        ),
        ("a,data,fat,0xb000,4K\nb,data,fat,0x9000,4K", 2, "is listed after `a`", "move the line of `b` up"),
        ("a,app,factory,0x9000,1M", 1, "is not a multiple of 0x10000", "use 0x10000, or leave it empty"),
        (
            "a,app,factory,,0x1800",
            1,
            "the size 0x1800 of `a` is not a multiple of 0x1000",
            "0x2000 or 0x1000",
        ),
        ("a,data,fat,,4K\na,data,fat,,4K", 2, "the name `a` is taken by line 1", "of its own"),
        ("o,data,ota,,4K", 1, "has 0x1000 bytes, not 0x2000", "0x2000"),
        ("o,data,ota,,8K,readonly", 1, "`o` is readonly", "remove the flag"),
        ("nvs,data,nvs,,8K", 1, "read-write NVS of 0x2000 bytes", "0x3000"),
    ],
)
def test_bad_csv_is_refused_with_file_line_and_remedy(text: str, line: int, message: str, hint: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_csv(text, file="my.csv")
    assert (caught.value.file, caught.value.line) == ("my.csv", line)
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_first_bad_line_is_the_one_that_is_named() -> None:
    with pytest.raises(InputError) as caught:
        parse_csv("a,data,fat,0x9100,4K\nb,data,what,,4K")
    assert caught.value.line == 1


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read: No such file"):
        read_csv(tmp_path / "none.csv")


def test_format_writes_sizes_in_whole_units_and_else_in_bytes() -> None:
    table = parse_csv("a,data,fat,0x9000,1M\nb,data,fat,,12K\nc,data,fat,,5000\nd,64,7,,0")
    assert [line.split(",")[4] for line in format_csv(table).splitlines()[2:]] == ["1M", "12K", "5000", "0"]


@pytest.mark.parametrize("name", ["a,b", " a", "#a", "a\nb"])
def test_format_refuses_a_name_that_a_csv_cannot_carry(name: str) -> None:
    with pytest.raises(InputError, match="cannot be written in a CSV"):
        format_csv(PartitionTable((Partition(name, 1, 2, 0x9000, 0x6000),)))
