"""The partition table as it is in flash: 32-byte entries, an MD5 row, 0xFF up to 0xC00 bytes.

    offset  size  entry                    MD5 row
    0       2     AA 50                    EB EB
    2       1     type                     FF …
    3       1     subtype                  FF …
    4       4     offset                   FF …
    8       4     size                     FF …
    12      16    name, padded with NUL    FF x 4, then the digest of all entries before it
    28      4     flags                    (digest)

Source: ESP-IDF v5.5.5 components/bootloader_support/include/esp_flash_partitions.h and src/flash_partitions.c.
"""

from __future__ import annotations

import hashlib
import struct

from fctry.errors import CapacityError, FormatError, InputError
from fctry.partitions.keywords import FLAGS
from fctry.partitions.table import (
    ENTRY_BYTES,
    MAGIC,
    MAX_PARTITIONS,
    MAX_PARTITIONS_WITHOUT_MD5,
    NAME_BYTES,
    TABLE_BYTES,
    Partition,
    PartitionTable,
    text_of_name,
)

__all__ = ["MAGIC", "TABLE_BYTES", "pack", "unpack"]

ENTRY = struct.Struct("<2sBBLL16sL")
assert ENTRY.size == ENTRY_BYTES

MD5_MAGIC = b"\xeb\xeb"
MD5_ROW_START = MD5_MAGIC + b"\xff" * 14
END = b"\xff" * ENTRY_BYTES


def pack(table: PartitionTable, *, md5: bool = True) -> bytes:
    """The 0xC00 bytes of `table`; without MD5 row for a boot loader older than ESP-IDF v3.1.

    A name is cut to 16 bytes, as gen_esp32part.py does. Raises CapacityError for more than 94 partitions (95 without
    MD5 row) and InputError for a number that its field cannot hold.
    """
    limit = MAX_PARTITIONS if md5 else MAX_PARTITIONS_WITHOUT_MD5
    if len(table) > limit:
        raise CapacityError(
            f"{len(table)} partitions, but the table holds {limit}",
            hint="merge or remove partitions",
        )
    entries = b"".join(_pack_entry(partition) for partition in table)
    if md5:
        entries += MD5_ROW_START + hashlib.md5(entries, usedforsecurity=False).digest()
    return entries.ljust(TABLE_BYTES, b"\xff")


def _pack_entry(partition: Partition) -> bytes:
    flags = FLAGS["encrypted"] * partition.encrypted | FLAGS["readonly"] * partition.readonly
    try:
        return ENTRY.pack(
            MAGIC,
            partition.type,
            partition.subtype,
            partition.offset,
            partition.size_bytes,
            partition.name.encode()[:NAME_BYTES],
            flags,
        )
    except struct.error:
        raise InputError(
            f"partition `{partition.name}`: a number does not fit its field (type {partition.type}, subtype "
            f"{partition.subtype}, offset {partition.offset:#x}, size {partition.size_bytes:#x})",
            hint="type and subtype are 0 to 0xFF, offset and size 0 to 0xFFFFFFFF",
        ) from None


def unpack(data: bytes) -> PartitionTable:
    """The table in `data`, which starts with its first entry and may go on after its end.

    An MD5 row is checked when there is one. Raises FormatError, with the offset in `data`, for a wrong magic
    number or digest, a second MD5 row, a name that is not UTF-8, no partition at all, or no end within 0xC00 bytes.
    """
    partitions: list[Partition] = []
    md5_seen = False
    for offset in range(0, min(len(data), TABLE_BYTES), ENTRY_BYTES):
        row = data[offset : offset + ENTRY_BYTES]
        if row == END and offset:
            return PartitionTable(tuple(partitions))
        if row.startswith(MD5_MAGIC) and len(row) == ENTRY_BYTES:
            if md5_seen:
                raise FormatError("a second MD5 row", hint="the boot loader allows one", offset=offset)
            _check_md5(data[:offset], row, offset)
            md5_seen = True
        else:
            partitions.append(_unpack_entry(row, offset))
    raise FormatError(
        f"no end of the partition table within {min(len(data), TABLE_BYTES):#x} bytes",
        hint="the table ends with a row of 32 bytes 0xFF",
        offset=min(len(data), TABLE_BYTES),
    )


def _check_md5(entries: bytes, row: bytes, offset: int) -> None:
    expected = hashlib.md5(entries, usedforsecurity=False).hexdigest()
    found = row[16:].hex()
    if found != expected:
        raise FormatError(
            f"at {offset:#x}: the MD5 row says {found}, the entries give {expected}",
            hint="the table is damaged: flash it again",
            offset=offset,
        )


def _unpack_entry(row: bytes, offset: int) -> Partition:
    if len(row) < ENTRY_BYTES and (offset or row.startswith(MAGIC)):
        raise FormatError(
            f"at {offset:#x}: the table is cut off: {len(row)} of the {ENTRY_BYTES} bytes of an entry",
            hint=f"give all {TABLE_BYTES:#x} bytes of the table",
            offset=offset,
        )
    if not row.startswith(MAGIC):
        raise FormatError(
            f"at {offset:#x}: no partition entry (it begins with {row[:2].hex() or 'nothing'}, expected aa50)",
            hint="this is no partition table, or not from its start; in flash it is at 0x8000 unless configured",
            offset=offset,
        )
    _, type_, subtype, start, size_bytes, name, flags = ENTRY.unpack(row)
    try:
        text = text_of_name(name)
    except UnicodeDecodeError:
        raise FormatError(
            f"at {offset:#x}: the name {name!r} is not UTF-8",
            hint="names are text",
            offset=offset + 12,
        ) from None
    return Partition(
        name=text,
        type=type_,
        subtype=subtype,
        offset=start,
        size_bytes=size_bytes,
        encrypted=bool(flags & FLAGS["encrypted"]),
        readonly=bool(flags & FLAGS["readonly"]),
    )
