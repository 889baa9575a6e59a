"""The names that a partition CSV may use for types and subtypes, and how its numbers are written.

Source: ESP-IDF v5.5.5 components/partition_table/gen_esp32part.py (the same file in v6.0 and v6.1); `since` from
the v5.2, v5.3, v5.4 and v5.5 editions of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from fctry.errors import InputError
from fctry.partitions.table import APP, BOOTLOADER, DATA, PARTITION_TABLE

IdfVersion = tuple[int, int]
"""An ESP-IDF release as (major, minor)."""

OLDEST_IDF: IdfVersion = (5, 3)
NEWEST_IDF: IdfVersion = (6, 1)

TYPES: Mapping[str, int] = MappingProxyType(
    {"bootloader": BOOTLOADER, "partition_table": PARTITION_TABLE, "app": APP, "data": DATA}
)

SUBTYPES: Mapping[int, Mapping[str, int]] = MappingProxyType(
    {
        BOOTLOADER: {"primary": 0x00, "ota": 0x01, "recovery": 0x02},
        PARTITION_TABLE: {"primary": 0x00, "ota": 0x01},
        APP: {
            "factory": 0x00,
            **{f"ota_{slot}": 0x10 + slot for slot in range(16)},
            "test": 0x20,
            "tee_0": 0x30,
            "tee_1": 0x31,
        },
        DATA: {
            "ota": 0x00,
            "phy": 0x01,
            "nvs": 0x02,
            "coredump": 0x03,
            "nvs_keys": 0x04,
            "efuse": 0x05,
            "undefined": 0x06,
            "esphttpd": 0x80,
            "fat": 0x81,
            "spiffs": 0x82,
            "littlefs": 0x83,
            "tee_ota": 0x90,
        },
    }
)

TYPE_SINCE: Mapping[int, IdfVersion] = MappingProxyType({BOOTLOADER: (5, 4), PARTITION_TABLE: (5, 4)})
"""The release that brought a named type."""

SUBTYPE_SINCE: Mapping[tuple[int, int], IdfVersion] = MappingProxyType(
    {
        (BOOTLOADER, 0x00): (5, 5),
        (BOOTLOADER, 0x01): (5, 4),
        (BOOTLOADER, 0x02): (5, 5),
        (PARTITION_TABLE, 0x00): (5, 5),
        (PARTITION_TABLE, 0x01): (5, 4),
        (APP, 0x30): (5, 5),
        (APP, 0x31): (5, 5),
        (DATA, 0x90): (5, 5),
    }
)
"""The release that brought a named subtype. Names that are in neither table are older than v5.3."""

FLAGS: Mapping[str, int] = MappingProxyType({"encrypted": 1 << 0, "readonly": 1 << 1})
"""Flag name to its bit in the binary."""

MULTIPLIERS = {"k": 1024, "m": 1024 * 1024}


@dataclass(frozen=True)
class Keywords:
    """The named types and subtypes of one project: ESP-IDF's own, and its EXTRA_PARTITION_SUBTYPES."""

    types: Mapping[str, int] = field(default_factory=lambda: TYPES)
    subtypes: Mapping[int, Mapping[str, int]] = field(default_factory=lambda: SUBTYPES)

    def subtypes_of(self, type_: int) -> Mapping[str, int]:
        return self.subtypes.get(type_, {})

    def known_to(self, idf: IdfVersion) -> Keywords:
        """Those of them that this release of ESP-IDF knows."""
        if idf >= max(SUBTYPE_SINCE.values()):
            return self
        types = {name: type_ for name, type_ in self.types.items() if TYPE_SINCE.get(type_, idf) <= idf}
        subtypes = {
            type_: {name: n for name, n in names.items() if SUBTYPE_SINCE.get((type_, n), idf) <= idf}
            for type_, names in self.subtypes.items()
            if type_ in types.values()
        }
        return Keywords(types, subtypes)

    def with_extra(self, lines: Iterable[str]) -> Keywords:
        """These keywords and those of `lines`, each `type, subtype, value` with the value in hex.

        Raises InputError for a line of another form, an unknown type, or a value that is taken.
        """
        subtypes = {type_: dict(names) for type_, names in self.subtypes.items()}
        for line in lines:
            type_, name, value = _extra_subtype(line)
            if value in subtypes[type_].values():
                raise InputError(
                    f"extra subtype `{line}`: {value:#x} is already the number of another subtype",
                    hint="choose a number that no subtype of this type has",
                )
            subtypes[type_][name] = value
        return Keywords(self.types, subtypes)


def _extra_subtype(line: str) -> tuple[int, str, int]:
    hint = "write it as in EXTRA_PARTITION_SUBTYPES: `app, my_subtype, 0x40`"
    fields = [field.strip() for field in line.split(",")]
    if len(fields) != 3 or fields[0] not in TYPES or not fields[1]:
        raise InputError(f"extra subtype `{line}` is not `type, subtype, value`", hint=hint)
    try:
        value = int(fields[2], 16)
    except ValueError:
        raise InputError(f"extra subtype `{line}`: `{fields[2]}` is not a hex number", hint=hint) from None
    if not 0 <= value <= 0xFF:
        raise InputError(f"extra subtype `{line}`: {value:#x} is not in 0x00 to 0xFE", hint=hint)
    return TYPES[fields[0]], fields[1], value


def read_number(text: str, keywords: Mapping[str, int] | None = None) -> int:
    """The value of a CSV field: decimal, hex, octal or binary with prefix, a factor K or M, or a keyword.

    Raises ValueError for anything else. As in gen_esp32part.py, several factors multiply and a factor is looked for
    before a keyword is.
    """
    if text and text[-1].lower() in MULTIPLIERS:
        return read_number(text[:-1], keywords) * MULTIPLIERS[text[-1].lower()]
    try:
        return int(text, 0)
    except ValueError:
        if keywords and text.lower() in keywords:
            return keywords[text.lower()]
        raise


def parse_idf(text: str) -> IdfVersion:
    """An ESP-IDF release such as `v5.4` or `5.4.1`. Raises ValueError for one that is not known."""
    found = re.match(r"v?([0-9]{1,3})\.([0-9]{1,3})", text)
    if not found:
        raise ValueError(f"{text[:40]!r} is no ESP-IDF release such as v5.4")
    version = (int(found[1]), int(found[2]))
    if version < OLDEST_IDF:
        raise ValueError(f"{text} is not known: the rules begin with v5.3")
    return version


def version_name(idf: IdfVersion) -> str:
    """An ESP-IDF release as it is written: `v5.5`."""
    return f"v{idf[0]}.{idf[1]}"


def type_name(type_: int) -> str:
    """The keyword of a type, or its number in decimal."""
    return next((name for name, value in TYPES.items() if value == type_), str(type_))


def subtype_name(type_: int, subtype: int, keywords: Keywords | None = None) -> str:
    """The keyword of a subtype, or its number in decimal."""
    names = (keywords or Keywords()).subtypes_of(type_)
    return next((name for name, value in names.items() if value == subtype), str(subtype))
