"""Report lines: what the firmware says for machines."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import crcmod.predefined
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fctry.device.report import Event, Report, ReportCollector, format_line, item_of, parse_line
from fctry.errors import ReportError

BOOT = {"event": "boot", "app": "fctry-reference", "version": "1.0.0", "idf": "v5.5.5", "reset": "power-on"}
ITEM = {
    "event": "item",
    "partition": "fctry",
    "namespace": "fctryNamespace",
    "key": "serial_number",
    "type": "str",
    "value": "164589345735",
}
END = {"event": "end", "partition": "fctry", "items": 1}
ERROR = {
    "event": "error",
    "where": "nvs_open_from_partition",
    "code": "ESP_ERR_NVS_NOT_FOUND",
    "partition": "fctry",
}


def item(kind: str, value: object, **fields: object) -> Event | None:
    return parse_line(format_line({**ITEM, "type": kind, "value": value, **fields}))


def test_line_known_by_hand_is_parsed() -> None:
    # CRC-16/CCITT-FALSE of this JSON, computed bit by bit
    text = b'{"event":"end","partition":"fctry","items":2}'
    crc = 0xFFFF
    for byte in text:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    event = parse_line(b"@fctry " + text + f"*{crc:04X}\r\n".encode())
    assert event == Event("end", {"partition": "fctry", "items": 2})


def test_crc_is_ccitt_false() -> None:
    assert crcmod.predefined.mkPredefinedCrcFun("crc-ccitt-false")(b"123456789") == 0x29B1


@pytest.mark.parametrize("line", ["", "I (31) boot: ESP-IDF", "fctry {}*0000", "@fctry"])
def test_line_for_people_is_ignored(line: str) -> None:
    assert parse_line(line) is None


def test_report_line_behind_noise_of_a_reset_is_found() -> None:
    assert parse_line(b"\x80\xfe@fctry " + format_line(END).encode()[7:]).name == "end"


@given(st.data())
def test_changed_byte_is_never_a_value(data: st.DataObject) -> None:
    line = bytearray(format_line(ITEM).encode())
    position = data.draw(st.integers(len("@fctry "), len(line) - 1))
    old = line[position]
    line[position] = data.draw(
        st.integers(0, 255).filter(lambda byte: byte != old and chr(byte).upper() != chr(old))
    )
    with pytest.raises(ReportError):
        parse_line(bytes(line))


@given(st.integers(len("@fctry "), len(format_line(ITEM)) - 1))
def test_cut_line_is_never_a_value(length: int) -> None:
    with pytest.raises(ReportError, match="damaged report line"):
        parse_line(format_line(ITEM)[:length])


def test_error_on_damaged_line_does_not_show_its_content() -> None:
    line = format_line({**ITEM, "value": "hunter2"}).replace("hunter2", "hunter3")
    with pytest.raises(ReportError) as caught:
        parse_line(line)
    assert "hunter" not in str(caught.value) + caught.value.hint


@pytest.mark.parametrize("text", [b"[]", b"1", b"{}", b'{"event":1}', b'{"event":"end"', b'{"event":"\xff"}'])
def test_line_with_right_crc_but_no_event_is_an_error(text: bytes) -> None:
    crc = crcmod.predefined.mkPredefinedCrcFun("crc-ccitt-false")(text)
    with pytest.raises(ReportError):
        parse_line(b"@fctry " + text + f"*{crc:04X}".encode())


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("u8", 255),
        ("i8", -128),
        ("u16", 65535),
        ("i32", -(2**31)),
        ("u64", 2**64 - 1),
        ("i64", -(2**63)),
        ("str", "é\n"),
    ],
)
def test_value_at_its_limit_is_exact(kind: str, value: int | str) -> None:
    assert item_of(item(kind, value)).value == value


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("u8", 256),
        ("u8", -1),
        ("i8", 128),
        ("u64", 2**64),
        ("u8", "1"),
        ("u8", 1.0),
        ("u8", True),
        ("str", 1),
        ("blob", "?"),
        ("x", 1),
    ],
)
def test_value_that_does_not_fit_its_type_is_an_error(kind: str, value: object) -> None:
    with pytest.raises(ReportError):
        item_of(item(kind, value))


@given(st.binary(max_size=300))
def test_blob_comes_through_as_bytes(value: bytes) -> None:
    assert item_of(item("blob", base64.b64encode(value).decode())).value == value


def test_string_that_is_not_utf8_comes_through_as_bytes() -> None:
    event = parse_line(format_line({**{k: v for k, v in ITEM.items() if k != "value"}, "base64": "//4="}))
    assert item_of(event).value == b"\xff\xfe"


@given(st.dictionaries(st.text(), st.text() | st.integers(-(2**63), 2**64 - 1), max_size=4))
def test_fields_come_through_any_text(fields: dict[str, str | int]) -> None:
    event = parse_line(format_line({**fields, "event": "x"}))
    assert event.fields == {key: value for key, value in fields.items() if key != "event"}
    assert "\n" not in json.dumps(dict(event.fields))


def lines(*events: Mapping[str, object]) -> list[str]:
    return ["rst:0x1 (POWERON_RESET)", *map(format_line, events), "I (400) main: done"]


def parse_report(console: Iterable[str], partition: str) -> Report:
    """The last report on a partition in console lines, up to its end or to where the lines stop."""
    collector = ReportCollector(partition)
    report = collector.report
    for line in console:
        event = parse_line(line)
        if event is not None:
            report = collector.feed(event) or report
    return report if report.is_complete else collector.report


def test_report_has_items_and_is_complete_with_its_end() -> None:
    report = parse_report(lines(BOOT, ITEM, END), "fctry")
    assert report.values() == {("fctryNamespace", "serial_number"): "164589345735"}
    assert report.is_complete
    assert not report.errors


def test_report_without_end_is_not_complete() -> None:
    report = parse_report(lines(BOOT, ITEM), "fctry")
    assert not report.is_complete
    assert len(report.items) == 1


def test_lost_line_is_an_error() -> None:
    with pytest.raises(ReportError, match="reported 1 items of 'fctry', 0 arrived"):
        parse_report(lines(BOOT, END), "fctry")


def test_boot_in_the_middle_starts_the_report_anew() -> None:
    report = parse_report(lines(BOOT, ITEM, BOOT, ITEM, END), "fctry")
    assert len(report.items) == 1


def test_errors_are_part_of_the_report_and_other_partitions_are_not() -> None:
    other = {**ITEM, "partition": "nvs"}
    report = parse_report(lines(BOOT, other, ERROR, {**END, "items": 0}), "fctry")
    assert report.codes == ("ESP_ERR_NVS_NOT_FOUND",)
    assert report.is_complete
    assert not report.items


def test_lines_in_the_documentation_are_report_lines() -> None:
    text = (Path(__file__).parents[3] / "docs" / "architecture.md").read_text()
    names = [event.name for event in map(parse_line, text.splitlines()) if event is not None]
    assert names == ["boot", "item", "error", "end"]


def with_crc(text: bytes) -> bytes:
    crc = crcmod.predefined.mkPredefinedCrcFun("crc-ccitt-false")(text)
    return b"@fctry " + text + f"*{crc:04X}".encode()


@pytest.mark.parametrize(
    "line",
    [
        with_crc(b'{"event":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
        with_crc(b'{"event":"item","value":' + b"9" * 10_000 + b"}"),
        with_crc(b'{"event":"end"}')[:-4] + b"0x1f",
        with_crc(b'{"event":"end"}')[:-4] + b" 1_2",
    ],
    ids=["deep", "huge number", "other digits", "underscore"],
)
def test_line_that_upsets_a_parser_is_damaged(line: bytes) -> None:
    with pytest.raises(ReportError, match="damaged"):
        parse_line(line)


@pytest.mark.parametrize(
    "fields",
    [
        {"partition": ["fctry"]},
        {"namespace": {}},
        {"key": 1},
        {"key": "\ud800"},
        {"type": []},
        {"value": "\ud800"},
        {"type": "double", "value": "0x1p99999"},
        {"type": "double", "value": 1},
        {"type": "blob", "value": None},
        {"base64": "é"},
    ],
)
def test_item_of_odd_kinds_is_an_error_that_does_not_show_it(fields: dict[str, object]) -> None:
    event = parse_line(json_line({**ITEM, **fields}))
    with pytest.raises(ReportError) as caught:
        item_of(event)
    assert ITEM["value"] not in str(caught.value)


def json_line(fields: dict[str, object]) -> bytes:
    return with_crc(json.dumps(fields).encode())


def test_key_that_is_reported_twice_is_an_error() -> None:
    with pytest.raises(ReportError, match="'serial_number' twice"):
        parse_report(lines(BOOT, ITEM, {**ITEM, "value": "2"}, {**END, "items": 2}), "fctry")


def test_error_without_partition_is_damage_but_not_in_an_answer() -> None:
    error = {key: value for key, value in ERROR.items() if key != "partition"}
    with pytest.raises(ReportError, match="without the partition"):
        parse_report(lines(BOOT, error, ITEM, END), "fctry")
    assert parse_report(lines(BOOT, {**error, "id": "42"}, ITEM, END), "fctry").is_complete


@pytest.mark.parametrize(
    "offsets",
    [(0, 6), (3,), (0, 2), (0, None)],
    ids=["one lost", "the first lost", "overlap", "item without"],
)
def test_blob_with_a_lost_part_is_an_error(offsets: tuple[int | None, ...]) -> None:
    collector = ReportCollector("fctry")
    *parts, last = (part_of(offset, b"abc", "part") for offset in offsets)
    events = [*parts, replace(last, name="item")]
    with pytest.raises(ReportError, match=r"reported .k. from byte"):
        list(map(collector.feed, events))


def part_of(offset: int | None, value: bytes, name: str) -> Event:
    fields = {"partition": "fctry", "namespace": "n", "key": "k", "type": "blob"}
    fields["value"] = base64.b64encode(value).decode()
    return Event(name, fields | ({} if offset is None else {"offset": offset}))


@given(st.lists(st.binary(min_size=1), min_size=1))
def test_blob_in_parts_is_one_item(pieces: list[bytes]) -> None:
    collector, offset = ReportCollector("fctry"), 0
    for i, piece in enumerate(pieces):
        collector.feed(part_of(offset, piece, "item" if i == len(pieces) - 1 else "part"))
        offset += len(piece)
    report = collector.feed(Event("end", {"partition": "fctry", "items": 1}))
    assert report is not None
    assert report.values() == {("n", "k"): b"".join(pieces)}


@pytest.mark.parametrize("fields", [{"code": None}, {"code": "\ud800"}, {"namespace": []}, {"where": 7}])
def test_error_without_code_or_with_odd_names_is_damage(fields: dict[str, object]) -> None:
    event = parse_line(json_line({**ERROR, **fields}))
    assert event
    with pytest.raises(ReportError, match="damaged"):
        ReportCollector("fctry").feed(event)


@pytest.mark.parametrize("count", [True, 1.0, "1"])
def test_number_of_items_is_an_integer(count: object) -> None:
    with pytest.raises(ReportError):
        parse_report(lines(BOOT, ITEM, {**END, "items": count}), "fctry")


@given(
    st.dictionaries(
        st.text(max_size=9),
        st.recursive(
            st.none() | st.booleans() | st.text(max_size=9) | st.floats(),
            lambda inner: st.lists(inner, max_size=3),
            max_leaves=5,
        ),
        max_size=5,
    )
)
def test_any_event_is_taken_or_refused_by_our_own_error(fields: dict[str, object]) -> None:
    for name in ("item", "error", "end", "boot"):
        event = parse_line(json_line({**ITEM, **fields, "event": name}))
        with contextlib.suppress(ReportError):
            ReportCollector("fctry").feed(event)
