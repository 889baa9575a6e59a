"""The encodings of a CSV's values: text of a cell, or bytes of a file, to type and value.

Source: ESP-IDF v5.5.5, docs/en/api-reference/storage/nvs_partition_gen.rst; esp-idf-nvs-partition-gen 0.3.0
(NVS.write_entry, which has the two fills that its documentation has not). float and double: firmware v6.1.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from functools import partial

from fctry.nvs.item import FLOATS, NUMBERS, ItemType, Value

NUMBER_ENCODINGS = {item_type.value: item_type for item_type in NUMBERS}
FILL = re.compile(r"blob_(sz_)?fill\((\d{1,6});0x([0-9a-f]{2})\)")
HEX_SEPARATED = re.compile(rb"(?:[0-9a-f]{2})+([:. -])[0-9a-f]", re.IGNORECASE)
INTEGER = re.compile(r"[+-]?(0x[0-9a-f]+|[0-9]+)", re.IGNORECASE)


def parse_value(encoding: str, content: bytes) -> tuple[ItemType, Value]:
    """Type and value.

    Raises LookupError for an unknown encoding, ValueError for content that it does not allow. No message tells the
    content: it may be a secret.
    """
    item_type, parse = parser_of(encoding)
    return item_type, parse(content)


def parser_of(encoding: str) -> tuple[ItemType, Callable[[bytes], Value]]:
    """Type, and the function from content to value, for many values of one encoding. Both raise as `parse_value`."""
    encoding = encoding.lower()
    if encoding in NUMBER_ENCODINGS:
        item_type = NUMBER_ENCODINGS[encoding]
        return item_type, partial(_number, float if item_type in FLOATS else _integer)
    if encoding == "string":
        return ItemType.STR, _text
    fill = FILL.fullmatch(encoding)
    if fill:
        return ItemType.BLOB, partial(_filled, bool(fill[1]), int(fill[2]), int(fill[3], 16))
    return ItemType.BLOB, BYTES_ENCODINGS[encoding]


def _number(parse: Callable[[str], Value], content: bytes) -> Value:
    try:
        return parse(content.decode().strip())
    except ValueError:
        raise ValueError("not a number") from None


def _integer(text: str) -> int:
    """Decimal or, which the generator refuses, hexadecimal."""
    match = INTEGER.fullmatch(text)
    if not match:
        raise ValueError
    return int(text, 16) if match[1][:2] in ("0x", "0X") else int(text)


def _text(content: bytes) -> str:
    if content.endswith(b"\0") and content.count(b"\0") == 1:
        raise ValueError("a NUL at its end: remove it, NVS adds one")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise ValueError("not UTF-8 text") from None


def _hex(content: bytes) -> bytes:
    digits = content.strip()
    if between := HEX_SEPARATED.match(digits):
        raise ValueError(f"hex digits with `{between[1].decode()}` between them: write them without")
    if len(digits) % 2:
        raise ValueError("odd number of hex digits")
    try:
        return binascii.unhexlify(digits)
    except binascii.Error:
        raise ValueError("not hex digits") from None


def _base64(content: bytes) -> bytes:
    try:
        return base64.b64decode(b"".join(content.split()), validate=True)
    except binascii.Error:
        raise ValueError("not base64") from None


def _filled(has_size: bool, size_bytes: int, pad: int, content: bytes) -> bytes:
    """The content padded to a size; for `sz`, the length of the content goes before it, in 4 bytes."""
    if len(content) > size_bytes:
        raise ValueError(f"{len(content)} bytes, more than the {size_bytes} to fill")
    padded = content.ljust(size_bytes, bytes([pad]))
    return len(content).to_bytes(4, "little") + padded if has_size else padded


BYTES_ENCODINGS: dict[str, Callable[[bytes], bytes]] = {"hex2bin": _hex, "base64": _base64, "binary": bytes}
ENCODINGS_TEXT = ", ".join(
    [*NUMBER_ENCODINGS, "string", *BYTES_ENCODINGS, "blob_fill(N;0xPP)", "blob_sz_fill(N;0xPP)"]
)
