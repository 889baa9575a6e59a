"""Report lines: what the firmware says for machines.

    @fctry {"event":"item",…,"key":"serial_number","type":"str","value":"164589345735"}*4DE6

`@fctry `, JSON in UTF-8 without line breaks, `*`, four hex digits: CRC-16/CCITT-FALSE over the JSON text.
Every other line is for people and is ignored. A line that begins as a report line but does not check out is a
transmission error, never a value. The module does no I/O: lines in, frozen events out.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import crcmod.predefined

from fctry.errors import ReportError
from fctry.nvs.item import FLOATS, NUMBERS, Value, range_of

PREFIX = "@fctry "
INTEGER_RANGES = {kind.value: range_of(kind) for kind in NUMBERS if kind not in FLOATS}

_NOISE = bytes(
    {*range(0x20), *range(0x7F, 0x100)}
)  # what a UART makes of a reset, in front of the first line

_CRC = re.compile(rb"[0-9A-Fa-f]{4}")
_crc16 = crcmod.predefined.mkPredefinedCrcFun("crc-ccitt-false")


@dataclass(frozen=True)
class Event:
    """One report line. `name` is its `event`, `fields` is the rest of its JSON object."""

    name: str
    fields: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, key: str) -> Any:
        return self.fields[key]

    def get(self, key: str, default: Any = None) -> Any:
        """The field `key`, or `default` where the line has none."""
        return self.fields.get(key, default)


@dataclass(frozen=True)
class ReportedItem:
    """A value that the firmware read from NVS: a report line with `"event":"item"`.

    `value` is int for the integer types, float for `float` and `double`, str for `str` (bytes where the
    string is not valid UTF-8) and bytes for `blob`.
    """

    partition: str
    namespace: str
    key: str
    type: str
    value: Value


class Values(dict[tuple[str, str], Value]):
    """What a report has, by (namespace, key). A KeyError names the keys that came, without their values."""

    def __missing__(self, name: tuple[str, str]) -> Value:
        came = ", ".join(":".join(one) for one in self) or "none"
        raise KeyError(f"the firmware reported no {':'.join(map(str, name))}; reported were: {came}")


@dataclass(frozen=True)
class Report:
    """What the firmware said of one partition: items, then errors, up to the `end` line that completes it.

    `hidden` are namespace and key of what it has and does not show.
    """

    items: tuple[ReportedItem, ...]
    errors: tuple[Event, ...]
    is_complete: bool
    hidden: frozenset[tuple[str, str]] = frozenset()

    def values(self) -> Values:
        """Values by (namespace, key)."""
        return Values({(item.namespace, item.key): item.value for item in self.items})

    @property
    def codes(self) -> tuple[str, ...]:
        """The error names reported, in order."""
        return tuple(str(event["code"]) for event in self.errors)


def format_line(fields: Mapping[str, Any]) -> str:
    """The report line of a JSON object, as the firmware writes it (without a line end)."""
    text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
    return f"{PREFIX}{text}*{_crc16(text.encode()):04X}"


def parse_line(line: str | bytes) -> Event | None:
    """The event of a console line, or None where the line is not a report line.

    Raises ReportError for a report line that is damaged: cut, wrong CRC, not a JSON object with an `event`.
    """
    data = line.encode(errors="surrogateescape") if isinstance(line, str) else line
    data = data.lstrip(_NOISE)
    if not data.startswith(PREFIX.encode()):
        return None
    text, star, crc = data[len(PREFIX) :].rstrip(b"\r\n").rpartition(b"*")
    if not star or not _CRC.fullmatch(crc):
        raise _damaged("it does not end in '*' and four hex digits")
    if _crc16(text) != int(crc, 16):
        raise _damaged(f"its CRC is {_crc16(text):04X}, not {crc.decode()}")
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):  # UnicodeDecodeError too. Their texts show the line
        raise _damaged("it is not JSON in UTF-8") from None
    if not isinstance(fields, dict) or not isinstance(fields.get("event"), str):
        raise _damaged("it is not a JSON object with an event")
    return Event(fields.pop("event"), MappingProxyType(fields))


def item_of(event: Event) -> ReportedItem:
    """The item of an `item` event, its value in Python's type.

    Raises ReportError when a field is missing or the value does not fit its type.
    """
    try:
        partition, namespace, key, kind = (event[name] for name in ("partition", "namespace", "key", "type"))
        for name in (partition, namespace, key):
            name.encode()  # a text, and no half of a surrogate pair
        return ReportedItem(partition, namespace, key, kind, _value(kind, event.fields))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise ReportError(
            "a report line has an item without proper names or a proper value",  # it may be a secret: not told
            hint="firmware and fctry disagree on the report's format: build both from one version",
        ) from None


class ReportCollector:
    """Collects the events of one partition. A `boot` event starts anew: the device was reset in between."""

    def __init__(self, partition: str) -> None:
        self.partition = partition
        self._items: list[ReportedItem] = []
        self._errors: list[Event] = []
        self._parts: dict[tuple[str, str, str], bytes] = {}
        self._hidden: set[tuple[str, str]] = set()

    @property
    def report(self) -> Report:
        """What has been collected so far."""
        hidden = frozenset(self._hidden)
        return Report(tuple(self._items), tuple(self._errors), is_complete=False, hidden=hidden)

    def feed(self, event: Event) -> Report | None:
        """Take an event; the whole report once its last line has come, else None."""
        if event.name == "boot":
            self._start_anew()
        if event.name == "error" and "id" not in event.fields and not isinstance(event.get("partition"), str):
            raise _damaged("an error without the partition that it is about")
        if event.get("partition") != self.partition:
            return None
        if event.name == "part":
            part = self._joined(item_of(event), event)
            if isinstance(part.value, bytes):
                self._parts[part.namespace, part.key, part.type] = part.value
        elif event.name == "item":
            self._add(self._joined(item_of(event), event))
        elif event.name == "secret":
            self._hidden.add((str(event.get("namespace")), str(event.get("key"))))
        elif event.name == "error":
            _check_error(event)
            self._errors.append(event)
        elif event.name == "end":
            return self._end(event)
        return None

    def _add(self, item: ReportedItem) -> None:
        name = item.namespace, item.key, item.type
        if any(name == (one.namespace, one.key, one.type) for one in self._items):
            raise ReportError(
                f"the firmware reported the key {item.key!r} twice",
                hint="one of the two is not the firmware's: reset the device and read again",
            )
        self._items.append(item)

    def _joined(self, item: ReportedItem, event: Event) -> ReportedItem:
        """The item with what came of its blob before."""
        before = self._parts.pop((item.namespace, item.key, item.type), b"")
        offset = event.get("offset", 0)
        if offset != len(before):
            raise ReportError(
                f"the firmware reported {item.key!r} from byte {offset!r} on, {len(before)} bytes arrived before",
                hint="a line was lost on the way: reset the device and read again",
            )
        return replace(item, value=before + item.value) if isinstance(item.value, bytes) else item

    def _start_anew(self) -> None:
        self._items, self._errors, self._parts, self._hidden = [], [], {}, set()

    def _end(self, event: Event) -> Report:
        report = replace(self.report, is_complete=True)
        self._start_anew()
        if type(event.get("items")) is not int or event["items"] != len(report.items):
            raise ReportError(
                f"the firmware reported {event.get('items')!r} items of '{self.partition}', "
                f"{len(report.items)} arrived",
                hint="a line was lost on the way: reset the device and read again",
            )
        return report


def _check_error(event: Event) -> None:
    try:
        for text in (event["code"], *(event.get(name, "") for name in ("where", "namespace", "key"))):
            text.encode()  # a text, and no half of a surrogate pair
    except (KeyError, AttributeError, ValueError):
        raise _damaged("an error without a code, or with odd names") from None


def _value(kind: str, fields: Mapping[str, Any]) -> Value:
    if kind in INTEGER_RANGES:
        value = fields["value"]
        low, high = INTEGER_RANGES[kind]
        if type(value) is not int or not low <= value <= high:
            raise ValueError(kind)
        return value
    if kind in ("float", "double"):
        return float.fromhex(fields["value"])
    if kind == "blob":
        return base64.b64decode(fields["value"], validate=True)
    if kind == "str":
        if "base64" in fields:
            return base64.b64decode(fields["base64"], validate=True)
        if isinstance(fields["value"], str):
            fields["value"].encode()  # a value, and no half of a surrogate pair
            return fields["value"]
    raise ValueError(kind)


def _damaged(reason: str) -> ReportError:
    # The line itself is not shown: it may hold part of a value.
    return ReportError(
        f"damaged report line: {reason}",
        hint="a transmission error: check cable and baud rate, then reset the device and read again",
    )
