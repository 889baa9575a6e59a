"""Espressif's own generator, called in-process: what it makes of a list of items.

esp-idf-nvs-partition-gen 0.3.0. Values go through its own CSV-level function, as text.
"""

from __future__ import annotations

import io
from collections.abc import Iterable

from esp_idf_nvs_partition_gen import nvs_partition_gen as generator

from fctry.nvs import Item, ItemType

VERSIONS = {1: generator.Page.VERSION1, 2: generator.Page.VERSION2}
PAGE_SIZE_BYTES = 4096


def oracle_encode(
    items: Iterable[Item],
    size_bytes: int,
    *,
    version: int = 2,
    namespaces: Iterable[str] = (),
    key: bytes = b"",
) -> bytes:
    """The generator's image of these items, which must be grouped by namespace, as in a CSV."""
    result = io.BytesIO()
    read_only = size_bytes < 3 * PAGE_SIZE_BYTES
    usable = size_bytes if read_only else size_bytes - PAGE_SIZE_BYTES
    nvs = generator.nvs_open(result, usable, VERSIONS[version], bool(key), key or None, read_only)
    for namespace in namespaces:
        generator.write_entry(nvs, namespace, "namespace", "", "")
    for item in items:
        generator.write_entry(nvs, item.namespace, "namespace", "", "")
        encoding = {ItemType.STR: "string", ItemType.BLOB: "hex2bin"}.get(item.type, item.type.value)
        value = item.value.hex() if isinstance(item.value, bytes) else str(item.value)
        generator.write_entry(nvs, item.key, "data", encoding, value)
    generator.nvs_close(nvs)
    return result.getvalue()
