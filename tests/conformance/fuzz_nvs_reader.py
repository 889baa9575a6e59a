#!/usr/bin/env python3
"""Fuzz the NVS reader, guided by coverage: no exception but the project's own, no hang, no memory without bounds.

Needs atheris (`pip install atheris`), which is no dependency of the tests: it is not there for every Python.

    python tests/conformance/fuzz_nvs_reader.py CORPUS_FOLDER -max_total_time=300 -timeout=10 -rss_limit_mb=1024

The corpus folder is made, and filled with sound images, when it is empty. The first byte of an input says whether the
crcs are repaired before the reader sees the rest: without that no mutation would ever get past them.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from zlib import crc32

import atheris

sys.path.insert(0, str(Path(__file__).parents[2] / "host"))
with atheris.instrument_imports(include=["fctry.nvs"]):
    from fctry.errors import FctryError
    from fctry.nvs import Item, ItemType, check, decode, encode, format_csv
    from fctry.nvs.contents import read
    from fctry.nvs.format import CRC, CRC_SEED, ENTRY_HEADER, PAGE_SIZE_BYTES, entry_crc
    from fctry.nvs.picture import svg
    from fctry.nvs.values import read_erased_items, read_items

PAGES_MAX = 4


def repaired(image: bytes) -> bytes:
    """The image with the crc of every page header and of every entry made right."""
    result = bytearray(image)
    for page in range(0, len(image), PAGE_SIZE_BYTES):
        result[page + 28 : page + 32] = CRC.pack(crc32(result[page + 4 : page + 28], CRC_SEED))
        for offset in range(page + 64, page + PAGE_SIZE_BYTES, 32):
            head, _, key, data = ENTRY_HEADER.unpack_from(result, offset)
            if set(head) != {0xFF}:
                ENTRY_HEADER.pack_into(result, offset, head, entry_crc(head, key, data), key, data)
    return bytes(result)


def read_everything(data: bytes) -> None:
    """One input."""
    mode, image = data[:1], data[1 : 1 + PAGES_MAX * PAGE_SIZE_BYTES]
    if mode and mode[0] & 1:
        image = repaired(image.ljust(-(-len(image) // PAGE_SIZE_BYTES) * PAGE_SIZE_BYTES, b"\xff"))
    findings = check(image, read_only=bool(mode and mode[0] & 2))
    try:
        contents = read(image)
    except FctryError:
        assert findings
        return
    items = [item for item, _ in read_items(contents)]
    read_erased_items(contents)
    svg(contents.pages, "fuzz")
    with suppress(FctryError):
        format_csv(items, contents.namespaces.values(), "fuzz")
    with suppress(FctryError):
        strict = decode(image)
        again = encode(strict, PAGES_MAX * 2 * PAGE_SIZE_BYTES, read_only=True)
        assert repr(decode(again)) == repr(strict)  # NaN is not equal to itself, its repr is


def seeds() -> list[bytes]:
    items = [
        Item("n", "number", ItemType.U32, 7),
        Item("n", "fraction", ItemType.DOUBLE, 0.5),
        Item("n", "text", ItemType.STR, "text" * 20),
        Item("m", "blob", ItemType.BLOB, bytes(5000)),
        Item("m", "last", ItemType.I8, -1),
    ]
    images = [
        encode(items, 0x3000),
        encode(items[:3], 0x3000, version=1),
        encode(items[:1], 0x1000, read_only=True),
    ]
    return [bytes([mode]) + image for mode in range(4) for image in images]


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    if not any(folder.iterdir()):
        for number, seed in enumerate(seeds()):
            (folder / f"seed-{number}").write_bytes(seed)
    size_max = 1 + PAGES_MAX * PAGE_SIZE_BYTES
    atheris.Setup([*sys.argv, f"-max_len={size_max}"], read_everything)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
