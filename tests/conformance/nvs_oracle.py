"""Espressif's own generator, called in-process: what it makes of items and of CSVs.

esp-idf-nvs-partition-gen 0.3.0. Values go through its own functions, as text.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace

from esp_idf_nvs_partition_gen import nvs_partition_gen as generator

from fctry.nvs import Item, ItemType, Keys

VERSIONS = {1: generator.Page.VERSION1, 2: generator.Page.VERSION2}
PAGE_SIZE_BYTES = 4096


def oracle_encode(
    items: Iterable[Item],
    size_bytes: int,
    *,
    version: int = 2,
    namespaces: Iterable[str] = (),
    keys: Keys | None = None,
) -> bytes:
    """The generator's image of these items, which must be grouped by namespace, as in a CSV."""
    result = io.BytesIO()
    read_only = size_bytes < 3 * PAGE_SIZE_BYTES
    usable = size_bytes if read_only else size_bytes - PAGE_SIZE_BYTES
    key = keys.encryption + keys.tweak if keys else None
    nvs = generator.nvs_open(result, usable, VERSIONS[version], bool(key), key, read_only)
    for namespace in namespaces:
        generator.write_entry(nvs, namespace, "namespace", "", "")
    for item in items:
        generator.write_entry(nvs, item.namespace, "namespace", "", "")
        encoding = {ItemType.STR: "string", ItemType.BLOB: "hex2bin"}.get(item.type, item.type.value)
        value = item.value.hex() if isinstance(item.value, bytes) else str(item.value)
        generator.write_entry(nvs, item.key, "data", encoding, value)
    generator.nvs_close(nvs)
    return result.getvalue()


def oracle_build(csvs: list[Path], output: Path, size_bytes: int, *, version: int = 2) -> bytes:
    """The generator's image of CSVs, as its command `generate` makes it. File paths count from its working folder."""
    arguments = SimpleNamespace(
        input=[str(path) for path in csvs],
        output=str(output),
        size=hex(size_bytes),
        version=version,
        outdir=str(output.parent),
    )
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        generator.generate(arguments)
    return output.read_bytes()
