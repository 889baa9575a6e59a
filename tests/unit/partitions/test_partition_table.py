"""The table as data, and its binary."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fctry.errors import CapacityError, FormatError, InputError
from fctry.partitions.binary import pack, unpack
from fctry.partitions.table import (
    MAX_PARTITIONS,
    MAX_PARTITIONS_WITHOUT_MD5,
    TABLE_BYTES,
    Partition,
    PartitionTable,
)

NVS = Partition("nvs", 1, 2, 0x9000, 0x6000)
FCTRY = Partition("fctry", 1, 2, 0x10000, 0x6000, readonly=True)
TABLE = PartitionTable((NVS, FCTRY), "partitions.csv")

byte = st.integers(0, 0xFF)
word = st.integers(0, 0xFFFFFFFF)
name = st.text(st.characters(exclude_characters="\x00", exclude_categories=("Cs",))).filter(
    lambda text: len(text.encode()) <= 16
)
partitions = st.builds(Partition, name, byte, byte, word, word, st.booleans(), st.booleans())


def test_find_returns_the_partition_of_that_name() -> None:
    assert TABLE.find("fctry") is FCTRY


def test_find_names_file_and_what_to_add_when_there_is_none() -> None:
    with pytest.raises(
        InputError, match=r"partitions\.csv: no partition is called `other`.*nvs, fctry"
    ) as caught:
        TABLE.find("other")
    assert "add a line such as `other, data, nvs," in caught.value.hint


def test_entry_has_the_bytes_of_the_documented_layout() -> None:
    packed = pack(TABLE)
    assert packed[32:64] == (
        bytes.fromhex("aa50 01 02 00000100 00600000")
        + b"fctry".ljust(16, b"\x00")
        + bytes.fromhex("02000000")
    )
    assert packed[64:80] == b"\xeb\xeb" + b"\xff" * 14
    assert packed[80:96] == hashlib.md5(packed[:64]).digest()
    assert packed[96:] == b"\xff" * (TABLE_BYTES - 96)


@settings(deadline=None)
@given(st.lists(partitions, min_size=1, max_size=MAX_PARTITIONS), st.booleans())
def test_unpack_returns_what_was_packed(entries: list[Partition], md5: bool) -> None:
    table = PartitionTable(tuple(entries))
    assert unpack(pack(table, md5=md5)) == table


@pytest.mark.parametrize(("limit", "md5"), [(MAX_PARTITIONS, True), (MAX_PARTITIONS_WITHOUT_MD5, False)])
def test_pack_holds_94_partitions_with_md5_row_and_95_without(limit: int, md5: bool) -> None:
    assert limit == (94 if md5 else 95)
    full = PartitionTable((NVS,) * limit)
    assert len(unpack(pack(full, md5=md5))) == limit
    with pytest.raises(CapacityError, match=f"{limit + 1} partitions, but the table holds {limit}"):
        pack(PartitionTable((NVS,) * (limit + 1)), md5=md5)


def test_pack_refuses_a_number_that_its_field_cannot_hold() -> None:
    with pytest.raises(InputError, match="`big`: a number does not fit its field"):
        pack(PartitionTable((Partition("big", 1, 2, 0x9000, 1 << 32),)))


def test_pack_cuts_a_name_to_16_bytes_as_gen_esp32part_does() -> None:
    assert unpack(pack(PartitionTable((Partition("a" * 20, 1, 2, 0, 0),)))).find("a" * 16)


def test_unpack_leaves_out_a_character_that_was_cut() -> None:
    packed = pack(PartitionTable((Partition("a" + "é" * 8, 1, 2, 0, 0),)))
    assert packed[12:28] == ("a" + "é" * 8).encode()[:16]
    assert unpack(packed).partitions[0].name == "a" + "é" * 7
    assert Partition("a" + "é" * 8, 1, 2, 0, 0).as_flashed == unpack(packed).partitions[0]


def _with(data: bytes, offset: int, new: bytes) -> bytes:
    return data[:offset] + new + data[offset + len(new) :]


@pytest.mark.parametrize(
    ("data", "offset", "message"),
    [
        (_with(pack(TABLE), 5, b"\x91"), 64, "the MD5 row says"),
        (_with(pack(TABLE), 0, b"\xab"), 0, "expected aa50"),
        (_with(pack(TABLE), 96, pack(TABLE)[64:96]), 96, "a second MD5 row"),
        (b"\xff" * TABLE_BYTES, 0, "expected aa50"),
        (b"", 0, "no end of the partition table within 0x0 bytes"),
        (pack(TABLE)[:96], 96, "no end of the partition table within 0x60 bytes"),
        (pack(TABLE)[:40], 32, "the table is cut off: 8 of the 32 bytes"),
        (pack(TABLE)[:20], 0, "the table is cut off: 20 of the 32 bytes"),
        (pack(TABLE)[:70], 64, "the table is cut off: 6 of the 32 bytes"),
        (pack(PartitionTable((NVS,) * 95), md5=False)[:-32] + pack(TABLE)[:32], TABLE_BYTES, "no end"),
        (_with(pack(TABLE, md5=False), 12, b"\xc3("), 12, "is not UTF-8"),
    ],
    ids=[
        "bit",
        "magic",
        "second-md5",
        "erased",
        "empty",
        "no-end",
        "cut",
        "cut-first",
        "cut-md5",
        "full",
        "name",
    ],
)
def test_unpack_names_the_offset_when_a_table_is_damaged(data: bytes, offset: int, message: str) -> None:
    with pytest.raises(FormatError, match=message) as caught:
        unpack(data)
    assert caught.value.offset == offset
    assert caught.value.hint


def test_unpack_ignores_what_follows_the_end_of_the_table() -> None:
    assert unpack(pack(TABLE) + b"\x00" * 0x400).partitions == TABLE.partitions
