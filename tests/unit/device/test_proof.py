"""What was written against what the firmware said and proved."""

import struct
from collections.abc import Sequence

import pytest

from fctry.device.proof import compare, name_of, unproven
from fctry.device.report import Event, Report, ReportedItem
from fctry.nvs import Item, ItemType, Value
from fctry.nvs.item import with_secrets

WRITTEN = [Item("ns", "serial", ItemType.STR, "1"), Item("ns", "number", ItemType.U8, 1)]


def said(*items: tuple[str, str, str, Value], errors: Sequence[Event] = ()) -> Report:
    return Report(tuple(ReportedItem("fctry", *item) for item in items), tuple(errors), is_complete=True)


SAID = [("ns", "serial", "str", "1"), ("ns", "number", "u8", 1)]


def test_device_that_says_what_was_written_is_proven() -> None:
    assert compare(WRITTEN, said(*SAID)).is_proven


@pytest.mark.parametrize(
    "items",
    [
        [],
        SAID[:1],
        [("ns", "serial", "str", "2"), SAID[1]],
        [("ns", "serial", "str", "1"), ("ns", "number", "u16", 1)],
        [("other", "serial", "str", "1"), SAID[1]],
        [*SAID, ("ns", "extra", "u8", 1)],
    ],
    ids=["nothing", "one missing", "other value", "other type", "other namespace", "one too many"],
)
def test_device_that_says_something_else_is_not_proven(items: list[tuple[str, str, str, Value]]) -> None:
    assert not compare(WRITTEN, said(*items)).is_proven


def test_device_that_reports_an_error_is_not_proven() -> None:
    assert not compare(WRITTEN, said(*SAID, errors=[Event("error", {"code": "ESP_FAIL"})])).is_proven


def test_nothing_written_is_not_proven() -> None:
    assert not compare([], said()).is_proven


def test_comparison_keeps_the_order_of_writing_and_shows_what_came_besides() -> None:
    proof = compare(WRITTEN, said(SAID[1], ("ns", "extra", "u8", 7)))
    assert [(row.key, row.written, row.said) for row in proof.comparisons] == [
        ("serial", "1", None),
        ("number", 1, 1),
        ("extra", None, 7),
    ]


def nan_of(bits: int) -> float:
    return struct.unpack("<d", bits.to_bytes(8, "little"))[0]


@pytest.mark.parametrize(
    ("written", "read", "is_proven"),
    [
        (0.0, 0.0, True),
        (0.0, -0.0, False),
        (-0.0, -0.0, True),
        (nan_of(0x7FF8 << 48), nan_of(0x7FF8 << 48), True),
        (nan_of(0x7FF8 << 48), nan_of(0xFFF8 << 48), False),
    ],
)
def test_floats_are_equal_by_their_bits(written: float, read: float, is_proven: bool) -> None:
    item = Item("ns", "ratio", ItemType.DOUBLE, written)
    assert compare([item], said(("ns", "ratio", "double", read))).is_proven is is_proven


def test_string_that_is_not_utf8_is_equal_by_its_bytes() -> None:
    item = Item("ns", "name", ItemType.STR, "a\udcff")
    assert compare([item], said(("ns", "name", "str", b"a\xff"))).is_proven
    assert not compare([item], said(("ns", "name", "str", b"a\xfe"))).is_proven


PASSWORD = Item("secrets", "password", ItemType.STR, "correct horse", is_secret=True)
PIN = Item("secrets", "pin", ItemType.BLOB, b"\0\xff\x10\xa5", is_secret=True)
NUMBER = Item("secrets", "number", ItemType.U32, 4711987, is_secret=True)
OFFSET = Item("calibration", "offset", ItemType.BLOB, b"\x00\x07")


def test_secrets_and_what_is_not_reported_are_to_be_proven() -> None:
    in_public = Item("ns", "code", ItemType.STR, "x", is_secret=True)
    assert unproven([*WRITTEN, PASSWORD, OFFSET, in_public], said(*SAID)) == [PASSWORD, OFFSET, in_public]


def test_nothing_reported_is_nothing_to_prove() -> None:
    assert unproven(WRITTEN, said()) == []
    assert not any(row.is_equal for row in compare(WRITTEN, said()).comparisons)


def test_error_names_the_reported_namespace() -> None:
    report = said(errors=[Event("error", {"code": "ESP_ERR_NVS_NOT_FOUND", "namespace": "ns"})])
    assert unproven([*WRITTEN, PASSWORD, PIN], report) == [PASSWORD, PIN]


@pytest.mark.parametrize(
    ("accepted", "is_proven"), [({}, False), ({PASSWORD: False}, False), ({PASSWORD: True}, True)]
)
@pytest.mark.parametrize("item", [PASSWORD, OFFSET])
def test_what_is_not_reported_counts_by_its_proof(
    item: Item, accepted: dict[Item, bool], is_proven: bool
) -> None:
    proofs = {name_of(item): value for value in accepted.values()}
    assert compare([*WRITTEN, item], said(*SAID), proofs).is_proven is is_proven


def test_report_of_a_secret_is_a_failed_proof_even_if_it_is_right() -> None:
    report = said(*SAID, ("secrets", "password", "str", "correct horse"))
    proof = compare([*WRITTEN, PASSWORD], report, {name_of(PASSWORD): True})
    assert not proof.is_proven
    assert [row.is_equal for row in proof.comparisons] == [True, True, False]


def test_values_of_secrets_are_in_no_repr() -> None:
    report = said(
        *SAID,
        ("secrets", "password", "str", "correct horse"),
        ("secrets", "number", "u32", 4711987),
        ("secrets", "other", "str", "battery staple"),
    )
    proof = compare([*WRITTEN, PASSWORD, PIN, NUMBER], report)
    text = repr(proof) + repr([PASSWORD, PIN, NUMBER])
    assert [word for word in ("correct horse", "\\xff", "4711987", "battery") if word in text] == []
    assert "'serial', 'str', written='1', said='1'" in repr(proof)
    assert repr(WRITTEN[0]) == "Item('ns', 'serial', str, '1')"


def test_namespace_is_secret_as_the_project_says() -> None:
    items = [WRITTEN[0], Item("secrets", "a", ItemType.U8, 1), Item("keys", "b", ItemType.U8, 1)]
    assert [item.is_secret for item in items] == [False, False, False]
    assert [item.is_secret for item in with_secrets(items)] == [False, True, False]
    assert [item.is_secret for item in with_secrets(items, ["keys"])] == [False, False, True]
    assert with_secrets(items) == items
