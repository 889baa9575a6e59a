"""Which device this is: by what is in its flash, or by a text that was scanned from its label."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fctry.identity.spec import canonical
from fctry.nvs.item import Item

if TYPE_CHECKING:
    from fctry.identity.ledger import Device, Ledger

WORD = re.compile(r"[^\s/?#&=,;:|\"'()\[\]<>{}]+")
WORDS_MAX = 12  # of one value


@dataclass(frozen=True)
class Recognised:
    """A device that this may be, and what speaks for it.

    `twins` is how many devices were given this very image, if it was one of them. `unique` are the scopes of unique
    values that only it has, `matching` and `differing` its public values in flash, `missing` those that are not there
    or cannot be read.
    """

    device: Device
    twins: int
    unique: tuple[str, ...]
    matching: tuple[str, ...]
    differing: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def certainty(self) -> str:
        """How sure it is, for people."""
        if self.twins > 1:
            return f"possible: the image that it was given, byte for byte, as {self.twins} devices were"
        if self.twins:
            return "certain: the image that it was given, byte for byte"
        total = len(self.matching) + len(self.differing) + len(self.missing)
        said = f"{len(self.matching)} of {total} public values"
        if self.unique:
            said += f"; unique to it: {', '.join(self.unique)}"
        for names, what in ((self.missing, "not to be read"), (self.differing, "other than in the ledger")):
            said += f"; {what}: {', '.join(names)}" if names else ""
        if self.differing or self.missing:
            return f"doubtful: {said}"
        return f"{'sure' if self.unique else 'possible'}: {said}"

    @property
    def _rank(self) -> tuple[object, ...]:
        return (
            not self.twins,
            len(self.differing),
            len(self.missing),
            -len(self.unique),
            -len(self.matching),
            self.device.id,
        )


def recognise(ledger: Ledger, items: Iterable[Item], image_sha256: str = "") -> list[Recognised]:
    """The devices that have some of these items or this image, those first that are it most likely."""
    items = list(items)
    held = {f"{one.namespace}:{one.key}": one.value for one in items}
    owners = ledger.owners({canonical(one.value) for one in items})
    same = {one.id for one in ledger.with_image(image_sha256)} if image_sha256 else set()
    found = []
    for id_ in {*owners, *same}:
        device = ledger.device(id_)
        missing = device.values.keys() - held.keys()
        matching = {name for name in device.values.keys() - missing if held[name] == device.values[name]}
        differing = device.values.keys() - missing - matching
        names = (owners.get(id_, ()), matching, differing, missing)
        found.append(Recognised(device, len(same) * (id_ in same), *(tuple(sorted(each)) for each in names)))
    return sorted(found, key=lambda one: one._rank)


def scanned(ledger: Ledger, text: str) -> list[Device]:
    """The devices of a text as a scanner gives it: a unique value, or one within it, as in the address of a page.

    The longest one counts: a serial number may have a slash or a space in it.
    """
    text = text.strip()
    if not text or (found := ledger.find(text)):
        return found if text else []
    words = list(WORD.finditer(text))
    for count in range(min(len(words), WORDS_MAX), 0, -1):
        runs = zip(words, words[count - 1 :], strict=False)
        if found := ledger.find(*{text[first.start() : last.end()] for first, last in runs}):
            return found
    return []
