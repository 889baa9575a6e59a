"""One damage per code of finding: it is found, and an image without it is clean."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from zlib import crc32

import pytest

from fctry.errors import FormatError
from fctry.findings import ERROR, WARNING
from fctry.nvs import Item, ItemType, Keys, check, decode, decrypt, encode, encrypt
from fctry.nvs.checker import RULES
from fctry.nvs.format import CRC, CRC_SEED, DataType, EntryState, PageState, entry_hash
from tests.unit.nvs.forge import (
    FREE_PAGE,
    blob_index,
    chunk,
    entry,
    long_value,
    namespace,
    page,
    partition,
    string,
    u8,
)

SOUND = partition(
    page(namespace("n"), u8("k"), string("s", b"text\0"), chunk("b", b"data", 0), blob_index("b", 4, 1))
)
FULL_PAGES = [
    page(namespace("n"), u8("k0"), state=PageState.FULL),
    page(u8("k1"), state=PageState.FULL, sequence=1),
]
BLOB_OF_TWO = (chunk("b", b"one", 0), chunk("b", b"two", 1))


def changed(image: bytes, offset: int, value: bytes) -> bytes:
    return image[:offset] + value + image[offset + len(value) :]


def with_states(image: bytes, byte: int, number: int = 0) -> bytes:
    """The image with one byte of the entry states of page 0 replaced."""
    return changed(image, 32 + number, bytes([byte]))


def keys_of_equal_hash() -> tuple[str, str]:
    seen: dict[int, str] = {}
    for number in count():
        key = f"key{number}"
        other = seen.setdefault(entry_hash(1, key.encode().ljust(16, b"\0"), 0xFF), key)
        if other != key:
            return other, key
    raise AssertionError


def header_of_version(version_byte: int) -> bytes:
    body = CRC.pack(0) + bytes([version_byte]) + b"\xff" * 19
    return CRC.pack(PageState.ACTIVE) + body + CRC.pack(crc32(body, CRC_SEED))


def encrypted() -> bytes:
    return encrypt(encode([Item("n", "k", ItemType.STR, "value")], 0x3000), Keys(b"e" * 32, b"t" * 32))


DAMAGES: dict[str, Callable[[], bytes]] = {
    "nvs-size": lambda: SOUND[:-1],
    "nvs-too-small": lambda: SOUND[:0x2000],
    "nvs-empty": lambda: FREE_PAGE * 3,
    "nvs-encrypted": encrypted,
    "nvs-wrong-key": encrypted,
    "nvs-no-free-page": lambda: b"".join(FULL_PAGES) + page(u8("k2"), sequence=2),
    "nvs-page-crc": lambda: changed(SOUND, 4, b"\x01"),
    "nvs-page-state": lambda: changed(SOUND, 0, b"\xf1"),
    "nvs-page-version": lambda: changed(SOUND, 0, header_of_version(0xFD)),
    "nvs-page-not-erased": lambda: changed(SOUND, 0x1000 + 100, b"\0"),
    "nvs-page-sequence": lambda: partition(FULL_PAGES[0], page(u8("k1"), state=PageState.FULL)),
    "nvs-page-active": lambda: partition(page(namespace("n"), u8("k")), page(u8("k1"), sequence=1)),
    "nvs-page-freeing": lambda: partition(page(namespace("n"), u8("k"), state=PageState.FREEING)),
    "nvs-entry-crc": lambda: changed(SOUND, 64 + 32 + 8, b"K"),
    "nvs-entry-type": lambda: partition(page(namespace("n"), u8("j"), entry(1, 0x99, "k", b""))),
    "nvs-entry-span": lambda: partition(page(namespace("n"), u8("j"), u8("k", span=2), u8("l"))),
    "nvs-entry-chunk": lambda: partition(page(namespace("n"), u8("j"), chunk("b", b"", 0xFF))),
    "nvs-entry-state": lambda: with_states(SOUND, 0b10_10_01_10),
    "nvs-entry-half-written": lambda: changed(SOUND, 64 + 7 * 32, b"\x01\x21\x02\xff"),
    "nvs-entry-not-erased": lambda: changed(SOUND, 64 + 90 * 32, b"\0"),
    "nvs-entry-hidden": lambda: with_states(SOUND, 0b11_11_11_10, 5),
    "nvs-entry-lost": lambda: partition(page(namespace("n"), u8("k", chunk_index=3))),
    "nvs-span-state": lambda: with_states(SOUND, 0b00_10_10_10),
    "nvs-data-crc": lambda: changed(SOUND, 64 + 3 * 32, b"T"),
    "nvs-hash-collision": lambda: partition(page(namespace("n"), *map(u8, keys_of_equal_hash()))),
    "nvs-key-empty": lambda: partition(page(namespace("n"), u8(""))),
    "nvs-key-tail": lambda: partition(page(namespace("n"), u8("k\0tail"))),
    "nvs-duplicate-key": lambda: partition(page(namespace("n"), u8("k"), string("k", b"\0"))),
    "nvs-namespace-missing": lambda: partition(page(namespace("n"), u8("k"), u8("l", ns_index=2))),
    "nvs-namespace-duplicate": lambda: partition(page(namespace("n"), namespace("n", 2), u8("k"))),
    "nvs-namespace-number": lambda: partition(page(namespace("n"), u8("k"), namespace("m", 255))),
    "nvs-namespace-empty": lambda: partition(page(namespace("n"))),
    "nvs-blob-incomplete": lambda: partition(page(namespace("n"), BLOB_OF_TWO[0], blob_index("b", 6, 2))),
    "nvs-blob-cut": lambda: partition(
        page(namespace("n"), chunk("b", b"old", 0), blob_index("b", 3, 1), chunk("b", b"new", 0x80))
    ),
    "nvs-blob-orphan": lambda: partition(page(namespace("n"), u8("k"), chunk("b", b"one", 0x80))),
    "nvs-blob-start": lambda: partition(
        page(namespace("n"), chunk("b", b"one", 5), blob_index("b", 3, 1, 5))
    ),
    "nvs-string-end": lambda: partition(page(namespace("n"), string("s", b"text"))),
    "nvs-string-nul": lambda: partition(page(namespace("n"), string("s", b"te\0xt\0"))),
    "nvs-string-utf8": lambda: partition(page(namespace("n"), string("s", b"\xfftext\0"))),
    "nvs-blob-v1": lambda: partition(page(namespace("n"), long_value(DataType.BLOB, "b", b"x"), version=1)),
    "nvs-float": lambda: partition(page(namespace("n"), entry(1, DataType.FLOAT, "f", b"\0\0\0\0"))),
}


def test_every_code_has_its_damage_here() -> None:
    assert DAMAGES.keys() == RULES.keys()


def test_sound_partition_has_no_findings() -> None:
    assert check(SOUND) == []
    assert check(SOUND, read_only=True) == []


@pytest.mark.parametrize("code", DAMAGES)
def test_damage_is_found_by_its_code_with_place_and_remedy(code: str) -> None:
    image = DAMAGES[code]()
    if code == "nvs-wrong-key":
        image = decrypt(image, Keys(b"x" * 32, b"y" * 32))
    for read_only in (False, True):
        found = check(image, read_only=read_only, is_decrypted=code == "nvs-wrong-key")
        codes = [finding.code for finding in found]
        if read_only and code in ("nvs-too-small", "nvs-no-free-page"):
            assert codes == []
            continue
        assert codes == [code]
        assert all(finding.where and finding.message and finding.hint for finding in found)
        expected = RULES[code].severity_read_only if read_only else RULES[code].severity
        assert found[0].severity is expected


TAILS = {
    "number": page(namespace("n"), u8("k\0x")),
    "sixteenth byte": page(namespace("n"), u8("0123456789abcdé")),
    "string": page(namespace("n"), string("k\0\0x", b"text\0")),
    "blob of version 1": page(namespace("n"), long_value(DataType.BLOB, "k\0x", b"x"), version=1),
    "blob": page(namespace("n"), chunk("b\0x", b"data", 0), blob_index("b\0x", 4, 1)),
    "chunk": page(namespace("n"), chunk("b\0x", b"data", 0), blob_index("b", 4, 1)),
    "namespace": page(namespace("n\0x"), u8("k")),
}


@pytest.mark.parametrize("kind", TAILS)
@pytest.mark.parametrize("read_only", [True, False])
def test_key_with_bytes_behind_its_end_is_an_error_in_every_type(kind: str, read_only: bool) -> None:
    image = partition(TAILS[kind])
    found = check(image, read_only=read_only)
    assert {one.code for one in found if one.severity is ERROR} == {"nvs-key-tail"}
    with pytest.raises(FormatError, match="nvs-key-tail"):
        decode(image)


def test_findings_are_all_there_however_many() -> None:
    image = changed(with_states(SOUND, 0b10_10_01_10), 64 + 90 * 32, b"\0")
    image = changed(image, 0x1000, b"\x10\0\0\0")
    assert [finding.code for finding in check(image)] == [
        "nvs-entry-not-erased",
        "nvs-page-crc",
        "nvs-entry-state",
    ]


def test_place_is_the_page_and_the_entry() -> None:
    found = check(partition(page(namespace("n"), u8("a"), u8("b"), u8("a"))))
    assert (found[0].where, found[0].message) == (
        "page 0 entry 3",
        "key 'a' in namespace 'n' is at page 0 entry 1 too",
    )


def test_leftovers_of_a_power_cut_are_errors_only_where_firmware_cannot_clear_them() -> None:
    for code in (
        "nvs-entry-half-written",
        "nvs-span-state",
        "nvs-blob-orphan",
        "nvs-page-not-erased",
        "nvs-page-freeing",
    ):
        image = DAMAGES[code]()
        assert [finding.severity for finding in check(image)] == [WARNING]
        assert [finding.severity for finding in check(image, read_only=True)] == [ERROR]


def test_erased_entries_are_no_finding() -> None:
    erased = entry(1, DataType.U8, "k", b"\0", state=EntryState.ERASED)
    assert check(partition(page(namespace("n"), erased, erased, u8("k")))) == []


def test_copy_begun_before_the_power_went_does_not_count_as_duplicate() -> None:
    freeing = page(namespace("n"), u8("k", 1), state=PageState.FREEING)
    found = check(partition(freeing, page(namespace("n"), u8("k", 1), sequence=1)))
    assert [finding.code for finding in found] == ["nvs-page-freeing"]
