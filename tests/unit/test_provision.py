"""What was written against what the firmware said."""

import pytest

from fctry.device.report import Event, Report, ReportedItem
from fctry.errors import CapacityError
from fctry.nvs import Item, ItemType
from fctry.partitions.table import Partition
from fctry.provision import check_fits, compare

WRITTEN = [Item("ns", "serial", ItemType.STR, "1"), Item("ns", "number", ItemType.U8, 1)]


def said(*items, errors=()):
    return Report(tuple(ReportedItem("fctry", *item) for item in items), tuple(errors), is_complete=True)


SAID = [("ns", "serial", "str", "1"), ("ns", "number", "u8", 1)]


def test_device_that_says_what_was_written_is_proven():
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
def test_device_that_says_something_else_is_not_proven(items):
    assert not compare(WRITTEN, said(*items)).is_proven


def test_device_that_reports_an_error_is_not_proven():
    assert not compare(WRITTEN, said(*SAID, errors=[Event("error", {"code": "ESP_FAIL"})])).is_proven


def test_nothing_written_is_not_proven():
    assert not compare([], said()).is_proven


def test_comparison_keeps_the_order_of_writing_and_shows_what_came_besides():
    proof = compare(WRITTEN, said(SAID[1], ("ns", "extra", "u8", 7)))
    assert [(row.key, row.written, row.said) for row in proof.comparisons] == [
        ("serial", "1", None),
        ("number", 1, 1),
        ("extra", None, 7),
    ]


def test_image_larger_than_the_partition_is_refused():
    with pytest.raises(CapacityError, match="0x4000 bytes, the partition 'fctry' 0x3000") as caught:
        check_fits(bytes(0x4000), Partition("fctry", 1, 2, 0x10000, 0x3000))
    assert "--size 0x3000" in caught.value.hint
