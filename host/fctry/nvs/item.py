"""Items: what a person puts into NVS and what the firmware hands out. A key in a namespace, a type, a value."""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from enum import Enum
from struct import Struct
from typing import TYPE_CHECKING

from fctry.errors import InputError
from fctry.nvs import SECRET_NAMESPACES
from fctry.nvs.format import BLOB_SIZE_BYTES_MAX, NAME_SIZE_BYTES_MAX, STRING_SIZE_BYTES_MAX

if TYPE_CHECKING:
    from pathlib import Path

Value = int | float | str | bytes
SECRET = "(secret)"  # in place of a value that is not shown


class ItemType(str, Enum):
    """The type of an item, in the words of the firmware's report lines."""

    U8 = "u8"
    I8 = "i8"
    U16 = "u16"
    I16 = "i16"
    U32 = "u32"
    I32 = "i32"
    U64 = "u64"
    I64 = "i64"
    FLOAT = "float"
    DOUBLE = "double"
    STR = "str"
    BLOB = "blob"

    @property
    def is_variable_length(self) -> bool:
        return self in (ItemType.STR, ItemType.BLOB)


@dataclass(frozen=True)
class Item:
    """One key with its value. `file` and `line` tell errors where it came from; they make no difference otherwise.

    `value` is an int for `u8` to `i64`, a float for `float` and `double`, a str, or bytes. `is_secret` is
    stated by whoever knows, such as `with_secrets`: then the value is not shown.
    """

    namespace: str
    key: str
    type: ItemType
    value: Value
    file: str | Path | None = field(default=None, compare=False, repr=False)
    line: int | None = field(default=None, compare=False, repr=False)
    is_secret: bool = field(default=False, compare=False)

    def __repr__(self) -> str:
        value = SECRET if self.is_secret else repr(self.value)
        return f"Item({self.namespace!r}, {self.key!r}, {self.type.value}, {value})"

    def refusal(self, message: str, hint: str) -> InputError:
        """An error about this item that names its place."""
        return InputError(message, hint=hint, file=self.file, line=self.line)


def with_secrets(
    items: Iterable[Item],
    secret_namespaces: Collection[str] = SECRET_NAMESPACES,
    public: Collection[tuple[str, str]] = (),
) -> list[Item]:
    """The items, with those in these namespaces stated to be secret, but for the namespaces and keys of `public`."""
    return [
        replace(item, is_secret=True)
        if item.namespace in secret_namespaces and (item.namespace, item.key) not in public
        else item
        for item in items
    ]


NUMBERS = {
    ItemType.U8: Struct("<B"),
    ItemType.I8: Struct("<b"),
    ItemType.U16: Struct("<H"),
    ItemType.I16: Struct("<h"),
    ItemType.U32: Struct("<I"),
    ItemType.I32: Struct("<i"),
    ItemType.U64: Struct("<Q"),
    ItemType.I64: Struct("<q"),
    ItemType.FLOAT: Struct("<f"),
    ItemType.DOUBLE: Struct("<d"),
}
FLOATS = (ItemType.FLOAT, ItemType.DOUBLE)
PYTHON_TYPES = dict.fromkeys(NUMBERS, "an integer") | {
    ItemType.FLOAT: "a float",
    ItemType.DOUBLE: "a float",
    ItemType.STR: "a str",
    ItemType.BLOB: "bytes",
}


def _float_packer(number: Struct) -> Callable[[Value], bytes]:
    pad = b"\xff" * (8 - number.size)

    def pack(value: Value) -> bytes:
        if value != value:
            raise ValueError
        return number.pack(value) + pad

    return pack


def _integer_packer(number: Struct) -> Callable[[Value], bytes]:
    pad = b"\xff" * (8 - number.size)
    pack = number.pack
    return lambda value: pack(value) + pad


def _pack_str(value: Value) -> bytes:
    if "\0" in value:  # type: ignore[operator]  # anything but a str raises TypeError, which is reported
        raise ValueError
    return value.encode(errors="surrogateescape") + b"\0"  # type: ignore[union-attr]


def _pack_blob(value: Value) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError
    return value


PACKERS: dict[ItemType, Callable[[Value], bytes]] = {
    **{
        kind: (_float_packer if kind in FLOATS else _integer_packer)(number)
        for kind, number in NUMBERS.items()
    },
    ItemType.STR: _pack_str,
    ItemType.BLOB: _pack_blob,
}
"""Type -> function from a value to the bytes that NVS stores: numbers padded to 8 bytes, strings with their NUL.

They raise TypeError, ValueError, OverflowError or struct.error for a value that is none; `value_error` explains it.
"""

PACKER_ERRORS = (TypeError, ValueError, OverflowError, AttributeError, struct.error)


def range_of(item_type: ItemType) -> tuple[int, int]:
    """Smallest and largest value of an integer type."""
    bits = int(item_type.value[1:])
    return (0, 2**bits - 1) if item_type.value[0] == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def value_error(item: Item) -> InputError:
    """Why the packer of this item's type refused its value. The value itself may be a secret: it is not told."""
    name = f"key {item.key!r}: "
    is_integer = item.type in NUMBERS and item.type not in FLOATS
    if is_integer and isinstance(item.value, int):
        low, high = range_of(item.type)
        return item.refusal(
            f"{name}number out of range for {item.type.value}", f"{item.type.value} takes {low} to {high}"
        )
    if item.type in FLOATS and isinstance(item.value, (int, float)):
        if item.value != item.value:
            return item.refusal(
                f"{name}not a number (NaN)", "firmware refuses to store that; leave the key out"
            )
        return item.refusal(
            f"{name}number out of range for {item.type.value}", "use the type double, or a string"
        )
    if item.type is ItemType.STR and isinstance(item.value, str):
        if "\0" in item.value:
            return item.refusal(
                f"{name}string with a NUL in it", "firmware would stop reading there; store it as a blob"
            )
        return item.refusal(f"{name}string that UTF-8 cannot hold", "remove the unpaired surrogates")
    return item.refusal(
        f"{name}value is not {PYTHON_TYPES[item.type]}", f"type {item.type.value} takes just that"
    )


def pack_name(name: str, what: str, *, file: str | Path | None = None, line: int | None = None) -> bytes:
    """The 16 bytes in which a key or a namespace is stored. `what` is which of the two, for the error's text.

    Raises InputError for one that is empty, longer than 15 bytes of UTF-8, or has a NUL in it.
    """

    def refusal(message: str, hint: str) -> InputError:
        return InputError(message, hint=hint, file=file, line=line)

    try:
        encoded = name.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        raise refusal(f"{what} {name!r} cannot be written in UTF-8", f"choose another {what}") from None
    if not encoded:
        raise refusal(f"empty {what}", f"give it a {what} of 1 to {NAME_SIZE_BYTES_MAX} bytes")
    if len(encoded) > NAME_SIZE_BYTES_MAX:
        raise refusal(
            f"{what} {name!r} is {len(encoded)} bytes long",
            f"NVS holds {NAME_SIZE_BYTES_MAX} bytes of UTF-8: shorten it",
        )
    if b"\0" in encoded:
        raise refusal(f"{what} {name!r} has a NUL in it", "firmware would stop reading there: remove it")
    return encoded.ljust(NAME_SIZE_BYTES_MAX + 1, b"\0")


def check_size(item: Item, size_bytes: int) -> None:
    """Raise InputError when a stored value of this size is longer than any version of NVS takes."""
    limit = {ItemType.STR: STRING_SIZE_BYTES_MAX, ItemType.BLOB: BLOB_SIZE_BYTES_MAX}.get(
        item.type, size_bytes
    )
    if size_bytes > limit:
        hint = "store it as a blob" if item.type is ItemType.STR else "split it over several keys"
        raise item.refusal(f"key {item.key!r}: {size_bytes} bytes; {item.type.value} takes {limit}", hint)


def pack_value(item: Item) -> bytes:
    """The bytes that NVS stores for this item. Raises InputError with the reason and the remedy."""
    try:
        packed = PACKERS[item.type](item.value)
    except PACKER_ERRORS:
        raise value_error(item) from None
    check_size(item, len(packed))
    return packed
