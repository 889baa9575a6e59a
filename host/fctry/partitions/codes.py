"""Every rule for partition layouts: its stable code, how bad a breach is, since when it holds, and what it needs."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import NamedTuple

from fctry.findings import Severity
from fctry.partitions.keywords import OLDEST_IDF, IdfVersion

DOCS_PAGE = "docs/layouts.md"


class Needs(str, Enum):
    """What a rule looks at beside the table."""

    TABLE = "table"
    IMAGE = "image"
    SDKCONFIG = "sdkconfig"
    BUILD = "build"
    AGAINST = "against"
    DEVICE = "device"


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
    needs: Needs = Needs.TABLE

    @property
    def docs(self) -> str:
        """Where the rule is explained."""
        return f"{DOCS_PAGE}#{self.code}"


ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO

_READING = (
    Rule("layout-encoding", ERROR, "the file is text in UTF-8, UTF-16 or UTF-32", enforced=True),
    Rule("layout-variable", ERROR, "a variable at the start of a line is set", enforced=True),
    Rule("layout-field-missing", ERROR, "type, size and an application's subtype are given", enforced=True),
    Rule("layout-number", ERROR, "offsets and sizes are whole numbers of bytes, K or M", enforced=True),
    Rule("layout-keyword", ERROR, "types and subtypes are known names or numbers", enforced=True),
    Rule("layout-flag", ERROR, "flags are encrypted and readonly, separated by a colon", enforced=True),
    Rule("layout-range", ERROR, "every number fits its field in the binary table", enforced=True),
    Rule("layout-idf", ERROR, "the project's ESP-IDF knows what the CSV uses", enforced=True),
    Rule("layout-bootloader-offset", ERROR, "the offsets of boot loader entries are known", enforced=True),
    Rule("layout-extra-field", WARNING, "a line has no more than six columns"),
)

_GEOMETRY = (
    Rule("layout-end-address", ERROR, "an end address comes after the partition's offset", enforced=True),
    Rule("layout-table-overlap", ERROR, "partitions come after the partition table", enforced=True),
    Rule("layout-overlap", ERROR, "partitions do not overlap", enforced=True),
    Rule("layout-order", ERROR, "partitions are listed in the order of their offsets", enforced=True),
    Rule("layout-offset-alignment", ERROR, "applications start at 64 KB, all others at 4 KB", enforced=True),
    Rule("layout-app-size", ERROR, "an application's size is a multiple of 4 KB", enforced=True),
    Rule("layout-flash-size", ERROR, "all partitions are inside the flash chip", enforced=True),
    Rule("layout-too-many", ERROR, "there are at most 94 partitions", enforced=True),
    Rule("layout-empty", ERROR, "the table has a partition"),
    Rule("layout-size-zero", ERROR, "a partition has a size"),
    Rule("layout-size-sectors", WARNING, "a partition consists of whole sectors of 4 KB"),
)

_NAMES = (
    Rule("layout-name-duplicate", ERROR, "names are unique", enforced=True),
    Rule("layout-name-long", ERROR, "a name has at most 16 bytes"),
    Rule("layout-name-empty", ERROR, "a partition has a name"),
    Rule("layout-name-keyword", WARNING, "a name is not the type or subtype of another kind"),
    Rule("layout-name-characters", WARNING, "a name has no quotes, variables or control characters"),
    Rule("layout-type-reserved", WARNING, "own types are 0x40 to 0xFE"),
    Rule("layout-subtype-reserved", INFO, "subtypes of ESP-IDF's types are known or declared"),
)

_APPS = (
    Rule("layout-no-app", ERROR, "there is an application to boot"),
    Rule("layout-app-duplicate", ERROR, "there is one application of each subtype"),
    Rule("layout-ota-without-otadata", ERROR, "OTA slots come with a data/ota partition"),
    Rule("layout-ota-gap", ERROR, "OTA slots are numbered from ota_0 without a gap"),
    Rule("layout-ota-single", INFO, "an application in an OTA slot has a second slot to be updated in"),
    Rule("layout-readonly-app", ERROR, "only data partitions are readonly"),
)

_DATA = (
    Rule("layout-otadata-count", ERROR, "there is at most one data/ota partition", enforced=True),
    Rule("layout-otadata-size", ERROR, "data/ota has exactly 0x2000 bytes", enforced=True),
    Rule("layout-tee-otadata-count", ERROR, "there is at most one data/tee_ota", enforced=True, since=(5, 5)),
    Rule(
        "layout-tee-otadata-size", ERROR, "data/tee_ota has exactly 0x2000 bytes", enforced=True, since=(5, 5)
    ),
    Rule("layout-readonly-subtype", ERROR, "data/ota and data/coredump are not readonly", enforced=True),
    Rule("layout-nvs-small", ERROR, "read-write NVS has at least 0x3000 bytes", enforced=True, since=(5, 5)),
    Rule("layout-nvs-readonly-small", ERROR, "readonly NVS has at least a page of 0x1000 bytes"),
    Rule("layout-nvs-sectors", ERROR, "NVS consists of whole pages of 0x1000 bytes"),
    Rule("layout-nvs-encrypted", ERROR, "NVS is not flagged encrypted: it has an encryption of its own"),
    Rule("layout-nvs-keys-size", ERROR, "data/nvs_keys consists of whole sectors of 4 KB"),
    Rule("layout-nvs-keys-encrypted", WARNING, "data/nvs_keys is flagged encrypted"),
)

_RECIPE = (
    Rule("layout-user-nvs", WARNING, "there is a data/nvs partition called nvs for the user's settings"),
    Rule("layout-user-nvs-readonly", WARNING, "the user's settings can be written"),
    Rule("layout-factory", WARNING, "there is a second NVS partition for factory data"),
    Rule("layout-factory-name", ERROR, "the factory partition that was named is there and is NVS"),
    Rule("layout-factory-readonly", WARNING, "the factory partition is readonly"),
    Rule("layout-image-size", ERROR, "the factory partition holds the image", needs=Needs.IMAGE),
    Rule("layout-image-short", WARNING, "the image fills the factory partition", needs=Needs.IMAGE),
    Rule("layout-image-full", ERROR, "the image has the free page that its reader needs", needs=Needs.IMAGE),
)

_SDKCONFIG = (
    Rule("layout-sdkconfig-custom", ERROR, "the project uses a table of its own", needs=Needs.SDKCONFIG),
    Rule("layout-sdkconfig-file", ERROR, "the project uses this table", needs=Needs.SDKCONFIG),
    Rule("layout-sdkconfig-offset", ERROR, "the table's offset is one that works", needs=Needs.SDKCONFIG),
    Rule("layout-sdkconfig-phy", ERROR, "PHY data in a partition has its partition", needs=Needs.SDKCONFIG),
    Rule("layout-sdkconfig-nvs-keys", ERROR, "encrypted NVS has its key partition", needs=Needs.SDKCONFIG),
    Rule(
        "layout-sdkconfig-coredump", ERROR, "core dumps in flash have their partition", needs=Needs.SDKCONFIG
    ),
    Rule(
        "layout-sdkconfig-leftover",
        WARNING,
        "no option of before ESP-IDF v3.1 is left",
        needs=Needs.SDKCONFIG,
    ),
)

_BUILD = (
    Rule(
        "layout-build-factory",
        ERROR,
        "the build flashes nothing into the factory partition",
        needs=Needs.BUILD,
    ),
    Rule("layout-build-size", ERROR, "what the build flashes fits its place", needs=Needs.BUILD),
    Rule("layout-build-place", ERROR, "the build flashes to where partitions start", needs=Needs.BUILD),
    Rule("layout-build-table", ERROR, "the build's partition table is this one", needs=Needs.BUILD),
    Rule("layout-build-missing", WARNING, "the files of the build are there", needs=Needs.BUILD),
    Rule(
        "layout-build-merged", WARNING, "a merged image leaves the factory partition alone", needs=Needs.BUILD
    ),
)

_HISTORY = (
    Rule(
        "layout-against-factory",
        ERROR,
        "the factory partition stays where and what it was",
        needs=Needs.AGAINST,
    ),
    Rule("layout-against-removed", WARNING, "no partition disappears", needs=Needs.AGAINST),
    Rule("layout-against-moved", WARNING, "no partition moves", needs=Needs.AGAINST),
    Rule("layout-against-shrunk", WARNING, "no partition shrinks", needs=Needs.AGAINST),
    Rule("layout-against-retyped", WARNING, "no partition changes its type", needs=Needs.AGAINST),
    Rule("layout-against-encrypted", WARNING, "no partition changes its encryption", needs=Needs.AGAINST),
    Rule("layout-device", ERROR, "the connected board has this table", needs=Needs.DEVICE),
)

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        rule.code: rule
        for rule in (
            *_READING,
            *_GEOMETRY,
            *_NAMES,
            *_APPS,
            *_DATA,
            *_RECIPE,
            *_SDKCONFIG,
            *_BUILD,
            *_HISTORY,
        )
    }
)
