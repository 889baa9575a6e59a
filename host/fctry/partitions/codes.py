"""Every rule for partition layouts: its stable code, how bad it is, since when, and who else enforces it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from fctry.findings import Severity
from fctry.partitions.keywords import OLDEST_IDF, IdfVersion

DOCS_URL = "docs/layouts.md"


class Rule(NamedTuple):
    """One rule.

    ``title`` states what a layout must be like, ``since`` is the ESP-IDF release from which on it holds, and
    ``enforced`` says that gen_esp32part.py refuses a table that breaks it: no binary is made from such a table.
    """

    code: str
    severity: Severity
    title: str
    enforced: bool = False
    since: IdfVersion = OLDEST_IDF

    @property
    def docs(self) -> str:
        """Where the rule is explained."""
        return f"{DOCS_URL}#{self.code}"


ERROR, WARNING = Severity.ERROR, Severity.WARNING

_RULES = (
    # reading the CSV
    Rule("layout-encoding", ERROR, "the file is text in UTF-8, UTF-16 or UTF-32", enforced=True),
    Rule("layout-variable", ERROR, "a variable at the start of a line is set", enforced=True),
    Rule("layout-field-missing", ERROR, "type, size and an application's subtype are given", enforced=True),
    Rule("layout-number", ERROR, "offsets and sizes are numbers, in bytes, K or M", enforced=True),
    Rule("layout-keyword", ERROR, "types and subtypes are known names or numbers", enforced=True),
    Rule("layout-flag", ERROR, "flags are encrypted and readonly, separated by a colon", enforced=True),
    Rule("layout-range", ERROR, "every number fits its field in the binary table", enforced=True),
    Rule("layout-idf", ERROR, "the release of ESP-IDF knows what the CSV uses", enforced=True),
    Rule("layout-bootloader-offset", ERROR, "the offsets of boot loader partitions are known", enforced=True),
    # where things are
    Rule("layout-end-address", ERROR, "an end address comes after the partition's offset", enforced=True),
    Rule("layout-table-overlap", ERROR, "partitions come after the partition table", enforced=True),
    Rule("layout-overlap", ERROR, "partitions do not overlap", enforced=True),
    Rule("layout-order", ERROR, "partitions are listed in the order of their offsets", enforced=True),
    Rule("layout-offset-alignment", ERROR, "applications start at 64 KB, all others at 4 KB", enforced=True),
    Rule(
        "layout-app-size",
        ERROR,
        "an application's size is a multiple of 4 KB (64 KB: secure boot v1)",
        enforced=True,
    ),
    Rule("layout-flash-size", ERROR, "all partitions are inside the flash chip", enforced=True),
    Rule("layout-too-many", ERROR, "there are at most 94 partitions", enforced=True),
    # names
    Rule("layout-name-duplicate", ERROR, "names are unique", enforced=True),
    # data partitions
    Rule("layout-otadata-count", ERROR, "there is at most one data/ota partition", enforced=True),
    Rule("layout-otadata-size", ERROR, "data/ota has exactly 0x2000 bytes", enforced=True),
    Rule(
        "layout-tee-otadata-count",
        ERROR,
        "there is at most one data/tee_ota partition",
        enforced=True,
        since=(5, 5),
    ),
    Rule(
        "layout-tee-otadata-size", ERROR, "data/tee_ota has exactly 0x2000 bytes", enforced=True, since=(5, 5)
    ),
    Rule("layout-readonly-subtype", ERROR, "data/ota and data/coredump are not readonly", enforced=True),
    Rule("layout-nvs-small", ERROR, "NVS below 0x3000 bytes is readonly", enforced=True, since=(5, 5)),
)

RULES: Mapping[str, Rule] = MappingProxyType({rule.code: rule for rule in _RULES})
