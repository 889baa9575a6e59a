"""What was written against what the firmware said and proved, item by item. No I/O.

The firmware reports one namespace. The items of the others are proven by challenge and response, secrets always.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fctry.device.commands import stored_bytes
from fctry.device.report import Event, Report
from fctry.nvs.item import SECRET, Item, Value

Name = tuple[str, str, str]
"""Namespace, key and type: what tells one item from another."""


@dataclass(frozen=True)
class Comparison:
    """One key: what was written and what the firmware said, None where it did not write or say anything.

    `is_accepted` is whether the firmware proved to have what it did not say, None where it gave no proof.
    """

    namespace: str
    key: str
    type: str
    written: Value | None
    said: Value | None
    is_secret: bool = False
    is_accepted: bool | None = None

    @property
    def is_equal(self) -> bool:
        """Whether the firmware said, or proved to have, exactly what was written, in the same type.

        A secret that it said is none any more.
        """
        if self.said is None:
            return self.is_accepted is True
        return not self.is_secret and self.written is not None and _exact(self.written) == _exact(self.said)

    def __repr__(self) -> str:
        values = (
            SECRET if self.is_secret and one is not None else repr(one) for one in (self.written, self.said)
        )
        written, said = values
        return (
            f"Comparison({self.namespace!r}, {self.key!r}, {self.type!r}, written={written}, said={said}, "
            f"is_accepted={self.is_accepted})"
        )


@dataclass(frozen=True)
class Proof:
    """The comparison of all keys, and the errors that the firmware reported."""

    comparisons: tuple[Comparison, ...]
    errors: tuple[Event, ...]

    @property
    def is_proven(self) -> bool:
        """Whether every key is equal and the firmware reported no error."""
        return bool(self.comparisons) and not self.errors and all(row.is_equal for row in self.comparisons)


def compare(items: Iterable[Item], report: Report, proofs: Mapping[Name, bool] | None = None) -> Proof:
    """Compare what was written with what the firmware reported, in the order of writing, then what it said besides.

    `proofs` are those of `unproven` items, as `Console.prove` returns them.
    """
    items = list(items)
    secret_namespaces = {item.namespace for item in items if item.is_secret}
    said = {(item.namespace, item.key, item.type): item.value for item in report.items}
    rows = [
        Comparison(
            *name_of(item),
            item.value,
            said.pop(name_of(item), None),
            is_secret=item.is_secret,
            is_accepted=(proofs or {}).get(name_of(item)),
        )
        for item in items
    ]
    rows += [Comparison(*name, None, value, name[0] in secret_namespaces) for name, value in said.items()]
    return Proof(tuple(rows), report.errors)


def unproven(items: Iterable[Item], report: Report) -> list[Item]:
    """The items for `Console.prove`: secrets, what the firmware hides, and those of namespaces that are not reported.

    None if nothing was reported.
    """
    named = {event.get("namespace") for event in report.errors} - {None}
    reported = (
        named | {item.namespace for item in report.items} | {namespace for namespace, _ in report.hidden}
    )
    return [
        item
        for item in items
        if reported
        and (item.is_secret or item.namespace not in reported or (item.namespace, item.key) in report.hidden)
    ]


def name_of(item: Item) -> Name:
    """What tells this item from others in a report."""
    return item.namespace, item.key, item.type.value


def _exact(value: Value | None) -> Value | None:
    """What makes values of one type equal: -0.0 is not 0.0, NaN is itself, a string may come as bytes."""
    if isinstance(value, float):
        return struct.pack("<d", value)
    return value if isinstance(value, int) or value is None else stored_bytes(value)
