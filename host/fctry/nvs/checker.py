"""Everything that is wrong with an NVS partition, judged as the firmware would."""

from __future__ import annotations

from fctry.errors import FormatError
from fctry.findings import ERROR, Finding, rules_of
from fctry.nvs import item_rules, page_rules
from fctry.nvs.contents import Contents, read
from fctry.nvs.rule import NvsRule

PAGE_RULES, ITEM_RULES = rules_of(NvsRule, page_rules), rules_of(NvsRule, item_rules)
RULES = {rule.code: rule for rule in (*PAGE_RULES, *ITEM_RULES)}


def check(image: bytes, *, read_only: bool = False, is_decrypted: bool = False) -> list[Finding]:
    """All that is wrong with an image, or a dump of a device's partition. Never raises.

    `read_only`: the partition is flagged so in the partition table. `is_decrypted`: the image has been decrypted,
    so entries that make no sense mean wrong keys.
    """
    try:
        found = findings_in(read(image), read_only, is_decrypted)
    except FormatError as error:
        found = [page_rules.SIZE.at("partition", error.message)]
    if not read_only:
        return found
    return [finding._replace(severity=RULES[finding.code].severity_read_only) for finding in found]


def damage(contents: Contents) -> list[Finding]:
    """The findings that are errors in every partition, whether it is written to or not."""
    return [
        finding
        for finding in findings_in(contents)
        if finding.severity is RULES[finding.code].severity_read_only is ERROR
    ]


def findings_in(contents: Contents, read_only: bool = False, is_decrypted: bool = False) -> list[Finding]:
    """All findings, in the order of the rules: partition, pages, entries, what the entries say."""
    found = _found(PAGE_RULES, contents, read_only)
    entries = contents.entries
    if entries and all(entry.fault == "crc" for entry in entries):
        message = f"none of {len(entries)} entries has a valid crc"
        if is_decrypted:
            return [*found, page_rules.WRONG_KEY.at("partition", message)]
        return [*found, page_rules.ENCRYPTED.at("partition", f"it is encrypted, or not NVS: {message}")]
    return found + _found(ITEM_RULES, contents, read_only)


def _found(rules: list[NvsRule], contents: Contents, read_only: bool) -> list[Finding]:
    return [one for rule in rules for one in rule.find(contents, read_only)]
