"""Items to the image of an NVS partition. One pure function, and the template that it is made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple
from zlib import crc32

from fctry.errors import InputError
from fctry.nvs.format import (
    CRC,
    CRC_SEED,
    ENTRIES_OFFSET,
    ENTRY_HEADER,
    ENTRY_SIZE_BYTES,
    PAGE_SIZE_BYTES,
    STATES_OFFSET,
    VARIABLE_DATA,
    VARIABLE_LENGTH,
    EntryState,
    PageState,
    entry_crc,
    page_header,
)
from fctry.nvs.item import PACKER_ERRORS, PACKERS, Item, Value, check_size, value_error
from fctry.nvs.layout import Shape, Slot

PLANS_MAX = 64  # per template; each is as large as an image


def encode(
    items: Iterable[Item],
    size_bytes: int,
    *,
    version: int = 2,
    read_only: bool = False,
    namespaces: Iterable[str] = (),
) -> bytes:
    """The image of an NVS partition of `size_bytes` that holds these items, in this order.

    `version` is that of the page format (1 or 2). `read_only` means a partition flagged so in the partition table:
    no page is kept free for the firmware to work with, and sizes from 0x1000 are allowed. `namespaces` are numbered
    and written first, in their order, and may be without items; the others follow in the order of the items.

    Raises InputError for anything that the firmware would choke on, CapacityError for more than fits; both name the
    item's file and line if it has them.
    """
    items = tuple(items)
    template = ImageTemplate(items, size_bytes, version=version, read_only=read_only, namespaces=namespaces)
    return template.encode([item.value for item in items])


class ImageTemplate:
    """What the images of many devices have in common, for devices that differ in values only.

    All checks of names and of the partition happen here, once. Where the entries go depends on the sizes of the values;
    the plan for each combination of sizes is kept.
    """

    def __init__(
        self,
        items: Iterable[Item],
        size_bytes: int,
        *,
        version: int = 2,
        read_only: bool = False,
        namespaces: Iterable[str] = (),
    ) -> None:
        self._shape = Shape(items, size_bytes, version=version, read_only=read_only, namespaces=namespaces)
        self._packers = [PACKERS[item.type] for item in self._shape.items]
        self._plans: dict[tuple[int, ...], _Plan] = {}

    def encode(self, values: Sequence[Value]) -> bytes:
        """The image with these values, one per item, in the order of the items. Raises as `encode` does."""
        return b"".join(self.parts(values))

    def parts(self, values: Sequence[Value]) -> tuple[bytes, bytes]:
        """The image in two parts. The second is the same object for values of the same sizes, and most of the image."""
        plan, payloads = self._plan_for(values)
        return plan.fill(payloads), plan.rest

    def check(self, values: Sequence[Value]) -> None:
        """Raise what `encode` would raise for these values."""
        self._plan_for(values)

    def _plan_for(self, values: Sequence[Value]) -> tuple[_Plan, list[bytes]]:
        try:
            payloads = [pack(value) for pack, value in zip(self._packers, values, strict=True)]
        except PACKER_ERRORS:
            raise self._explain(values) from None
        sizes = tuple(map(len, payloads))
        return self._plans.get(sizes) or self._prepare(sizes), payloads

    def _prepare(self, sizes: tuple[int, ...]) -> _Plan:
        for item, size_bytes in zip(self._shape.items, sizes, strict=True):
            check_size(item, size_bytes)
        if len(self._plans) == PLANS_MAX:
            self._plans.clear()
        plan = self._plans[sizes] = _Plan(self._shape, self._shape.place(sizes))
        return plan

    def _explain(self, values: Sequence[Value]) -> InputError:
        items = self._shape.items
        if len(values) != len(items):
            return InputError(f"{len(values)} values for {len(items)} items", hint="give one value per item")
        for item, value in zip(items, values, strict=True):
            try:
                PACKERS[item.type](value)
            except PACKER_ERRORS:
                return value_error(Item(item.namespace, item.key, item.type, value, item.file, item.line))
        raise AssertionError("some packer has failed")


class _Hole(NamedTuple):
    """Where the bytes of one value go: into which pieces of the image, and what its entry's crc starts from."""

    piece: int
    item: int
    part: slice  # of the value: a blob may be cut into chunks
    crc_prefix: int


class _Plan:
    """An image with holes: pieces of bytes, of which those at the holes are filled in per device.

    An entry's crc is a hole, and so are its 8 bytes of data if it is a number. A value of variable length has its size
    there, which is known, and a crc; it leaves holes for that crc and for itself. What lies between the holes of an
    entry is constant, so its crc is known up to there.
    """

    def __init__(self, shape: Shape, slots: Sequence[Slot]) -> None:
        image = _template(shape, slots)
        self._pieces: list[bytes] = []
        self._numbers: list[_Hole] = []
        self._variables: list[_Hole] = []
        at = 0
        for slot in slots:
            if slot.fixed:
                continue
            offset = _offset_of(slot)
            is_variable = slot.type in VARIABLE_LENGTH
            hole = offset + (28 if is_variable else 24)
            prefix = crc32(image[offset + 8 : hole], crc32(image[offset : offset + 4], CRC_SEED))
            holes = self._variables if is_variable else self._numbers
            holes.append(_Hole(len(self._pieces) + 1, slot.item, slice(slot.start, slot.stop), prefix))
            self._pieces += [image[at : offset + 4], b"", image[offset + 8 : hole], b""]
            if is_variable:
                self._pieces.append(b"")
            at = offset + ENTRY_SIZE_BYTES + (slot.stop - slot.start if is_variable else 0)
        self.rest = image[at:]
        """What is behind the last value: mostly pages that are empty."""

    def fill(self, payloads: Sequence[bytes]) -> bytes:
        """The image up to its rest, with these values, as the packers of `item` made them."""
        pieces = self._pieces.copy()
        pack = CRC.pack
        for piece, item, _, prefix in self._numbers:
            data = payloads[item]
            pieces[piece] = pack(crc32(data, prefix))
            pieces[piece + 2] = data
        for piece, item, part, prefix in self._variables:
            data = payloads[item][part]
            data_crc = pack(crc32(data, CRC_SEED))
            pieces[piece] = pack(crc32(data_crc, prefix))
            pieces[piece + 2] = data_crc
            pieces[piece + 3] = data
        return b"".join(pieces)


def _offset_of(slot: Slot) -> int:
    return slot.page * PAGE_SIZE_BYTES + ENTRIES_OFFSET + slot.entry * ENTRY_SIZE_BYTES


def _template(shape: Shape, slots: Sequence[Slot]) -> bytes:
    """The whole image, but for the bytes that depend on values."""
    image = bytearray(b"\xff" * shape.size_bytes)
    last_page = slots[-1].page if slots else 0
    states = [(1 << 8 * (ENTRIES_OFFSET - STATES_OFFSET)) - 1] * (last_page + 1)
    for page in range(last_page + 1):
        state = PageState.ACTIVE if page == last_page else PageState.FULL
        at = page * PAGE_SIZE_BYTES
        image[at : at + STATES_OFFSET] = page_header(state, page, shape.version)
    for slot in slots:
        head = bytes([slot.ns_index, slot.type, slot.span, slot.chunk_index])
        data = slot.fixed or VARIABLE_DATA.pack(slot.stop - slot.start, 0xFFFF, 0)  # of a number: overwritten
        ENTRY_HEADER.pack_into(image, _offset_of(slot), head, entry_crc(head, slot.key, data), slot.key, data)
        written = ((1 << 2 * slot.span) - 1) // 3 * (EntryState.EMPTY ^ EntryState.WRITTEN)
        states[slot.page] &= ~(written << 2 * slot.entry)
    for page, bits in enumerate(states):
        at = page * PAGE_SIZE_BYTES
        image[at + STATES_OFFSET : at + ENTRIES_OFFSET] = bits.to_bytes(
            ENTRIES_OFFSET - STATES_OFFSET, "little"
        )
    return bytes(image)
