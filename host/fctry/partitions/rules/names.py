"""Rules about the names, types and subtypes of partitions.

Source: ESP-IDF v5.5.5 components/partition_table/gen_esp32part.py and docs/en/api-guides/partition-tables.rst.
"""

from __future__ import annotations

from collections.abc import Iterator

from fctry.findings import ERROR, INFO, WARNING, Finding
from fctry.partitions.keywords import subtype_name, type_name
from fctry.partitions.layout import Layout
from fctry.partitions.rule import Evidence, LayoutRule
from fctry.partitions.table import NAME_BYTES

FIRST_OWN_TYPE, LAST_OWN_TYPE = 0x40, 0xFE
ANY = 0xFF
ESP_SECURE_CERT_TYPE = 0x3F
"""Reserved as well, and used by Espressif's own component esp_secure_cert_mgr."""


@LayoutRule("layout-name-duplicate", ERROR, "names are unique", enforced=True)
def duplicate(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    first_line: dict[str, int] = {}
    for line, partition in layout.entries:
        if partition.name in first_line:
            message = f"the name `{partition.name}` is taken by line {first_line[partition.name]}"
            yield duplicate.at(line, message, "give every partition a name of its own")
        first_line.setdefault(partition.name, line)


@LayoutRule("layout-name-long", ERROR, "a name has at most 16 bytes")
def too_long(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    for line, partition in layout.entries:
        encoded = partition.name.encode()
        if len(encoded) > NAME_BYTES:
            cut = encoded[:NAME_BYTES].decode(errors="ignore")
            message = f"the name `{partition.name}` has {len(encoded)} bytes, the device sees `{cut}`"
            yield too_long.at(line, message, f"shorten it to {NAME_BYTES} bytes")


@LayoutRule("layout-name-empty", ERROR, "a partition has a name")
def empty(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    for line, partition in layout.entries:
        if not partition.name:
            hint = "write one in the first column: code finds a partition by its name"
            yield empty.at(line, "the partition has no name", hint)


@LayoutRule("layout-name-keyword", WARNING, "a name is not the type or subtype of another kind")
def keyword(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    keywords = layout.options.keywords
    subtypes = {name for names in keywords.subtypes.values() for name in names}
    for line, partition in layout.entries:
        name = partition.name
        is_other_type = name in keywords.types and keywords.types[name] != partition.type
        own = keywords.subtypes_of(partition.type).get(name)
        if is_other_type or (name in subtypes and own != partition.subtype):
            is_ = f"{type_name(partition.type)}/{subtype_name(partition.type, partition.subtype, keywords)}"
            what = "type" if is_other_type else "subtype"
            message = f"`{name}` is the name of another {what}, this partition is {is_}"
            hint = f"rename it, or is it meant to be of the {what} {name}?"
            yield keyword.at(line, message, hint)


@LayoutRule("layout-type-reserved", WARNING, "own types are 0x40 to 0xFE")
def reserved_type(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    for line, partition in layout.entries:
        known = (*layout.options.keywords.types.values(), ESP_SECURE_CERT_TYPE)
        if partition.type not in known and not FIRST_OWN_TYPE <= partition.type <= LAST_OWN_TYPE:
            message = f"the type {partition.type:#04x} of `{partition.name}` is reserved for ESP-IDF"
            yield reserved_type.at(line, message, "use a type from 0x40 to 0xFE")


@LayoutRule("layout-subtype-reserved", INFO, "subtypes of ESP-IDF's types are known or declared")
def reserved_subtype(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    for line, partition in layout.entries:
        known = layout.options.keywords.subtypes_of(partition.type).values()
        if partition.subtype == ANY or (known and partition.subtype not in known):
            type_ = type_name(partition.type)
            message = f"the subtype {partition.subtype:#04x} of `{partition.name}` is none that {type_} has"
            hint = "declare it as EXTRA_PARTITION_SUBTYPES (--extra-subtype), or use a type from 0x40 to 0xFE"
            yield reserved_subtype.at(line, message, hint)
