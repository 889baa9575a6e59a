"""What differs between two partitions: by namespace and key, wherever in the flash they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fctry.nvs.item import Item


@dataclass(frozen=True)
class Difference:
    """One key that is not the same in both. `before` is missing if it was added, `after` if it was removed."""

    namespace: str
    key: str
    before: Item | None
    after: Item | None

    @property
    def kind(self) -> str:
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "changed"


def diff(before: Iterable[Item], after: Iterable[Item]) -> list[Difference]:
    """The keys that differ in type or value, in the order of `before`, then those that only `after` has."""
    old = {(item.namespace, item.key): item for item in before}
    new = {(item.namespace, item.key): item for item in after}
    keys = [*old, *(key for key in new if key not in old)]
    return [Difference(*key, old.get(key), new.get(key)) for key in keys if old.get(key) != new.get(key)]
