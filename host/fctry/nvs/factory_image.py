"""The image of a factory partition and the items in it, made from a CSV."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fctry.nvs.decoder import decode
from fctry.nvs.encoder import ImageTemplate
from fctry.nvs.item import Item

if TYPE_CHECKING:
    from fctry.nvs.csv import Sheet
    from fctry.nvs.encryption import Keys


@dataclass(frozen=True)
class FactoryImage:
    """The bytes that go into the partition, and the items that the firmware reads out of them, in their order."""

    data: bytes = field(repr=False)
    items: tuple[Item, ...]

    def encrypted(self, keys: Keys | None) -> FactoryImage:
        """This image for a device with these keys, or as it is without any."""
        if keys is None:
            return self
        from fctry.nvs.encryption import encrypt  # with cryptography it costs more than an image

        return FactoryImage(encrypt(self.data, keys), self.items)


def make_image(sheet: Sheet, size_bytes: int, *, version: int = 2, read_only: bool = False) -> FactoryImage:
    """The image of a partition of `size_bytes` with all that a sheet says. Raises as `encode` does."""
    template = template_of(sheet, size_bytes, version=version, read_only=read_only)
    data = template.encode([item.value for item in sheet.items])
    return FactoryImage(data, tuple(decode(data)))


def template_of(sheet: Sheet, size_bytes: int, *, version: int = 2, read_only: bool = False) -> ImageTemplate:
    """What images have in common that differ from a sheet in values only. Raises as `encode` does."""
    return ImageTemplate(
        sheet.items, size_bytes, version=version, read_only=read_only, namespaces=sheet.namespaces
    )
