"""How much of a partition the data takes, before anything is written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fctry.nvs.format import ENTRY_COUNT, NAMESPACE_NS_INDEX
from fctry.nvs.item import NUMBERS, Item, pack_value
from fctry.nvs.layout import Shape, Slot


@dataclass(frozen=True)
class NamespaceUse:
    """What one namespace takes: its own entry and those of its keys. `value_bytes` is the values alone."""

    name: str
    keys: int
    entries: int
    value_bytes: int


@dataclass(frozen=True)
class Capacity:
    """Entries are of 32 bytes, 126 to a page.

    `entries_lost` are left free at the ends of full pages, because a value did not fit there. `entries_free` is
    negative when the data does not fit.
    """

    size_bytes: int
    entries_total: int
    entries_used: int
    entries_lost: int
    entries_free: int
    namespaces: tuple[NamespaceUse, ...]
    smallest_size_bytes: int

    @property
    def fits(self) -> bool:
        return self.entries_free >= 0


def measure(
    items: Iterable[Item],
    size_bytes: int,
    *,
    version: int = 2,
    read_only: bool = False,
    namespaces: Iterable[str] = (),
) -> Capacity:
    """What these items would take of a partition of `size_bytes`; arguments and errors as of `encode`.

    Does not raise for more than fits: `smallest_size_bytes` tells which partition would do.
    """
    shape = Shape(items, size_bytes, version=version, read_only=read_only, namespaces=namespaces)
    slots = shape.place_anyway([len(pack_value(item)) for item in shape.items])
    entries_used = sum(slot.span for slot in slots)
    last = slots[-1] if slots else None
    reached = last.page * ENTRY_COUNT + last.entry + last.span if last else 0
    return Capacity(
        size_bytes=size_bytes,
        entries_total=shape.pages_usable * ENTRY_COUNT,
        entries_used=entries_used,
        entries_lost=reached - entries_used,
        entries_free=shape.pages_usable * ENTRY_COUNT - reached,
        namespaces=tuple(_use(shape, slots, name, number) for name, (number, _) in shape.namespaces.items()),
        smallest_size_bytes=shape.size_for(last.page + 1 if last else 1),
    )


def _use(shape: Shape, slots: list[Slot], name: str, number: int) -> NamespaceUse:
    items = [item for item in shape.items if item.namespace == name]
    return NamespaceUse(
        name=name,
        keys=len(items),
        entries=sum(
            slot.span
            for slot in slots
            if slot.ns_index == number or (slot.ns_index == NAMESPACE_NS_INDEX and slot.fixed[0] == number)
        ),
        value_bytes=sum(
            NUMBERS[item.type].size if item.type in NUMBERS else len(pack_value(item)) for item in items
        ),
    )
