"""Everything that is wrong with a spec, before the first device."""

from __future__ import annotations

from fctry.errors import InputError
from fctry.findings import Finding, Severity, rules_of
from fctry.identity import sdk_rules, spec_rules
from fctry.identity.spec import Spec
from fctry.identity.spec_rules import Room, SpecRule

RULES = rules_of(SpecRule, spec_rules, sdk_rules)


def check(spec: Spec, room: Room | None = None) -> list[Finding]:
    """All findings, in the order of the rules."""
    return [finding for rule in RULES for finding in rule.find(spec, room or Room())]


def require(spec: Spec, room: Room | None = None) -> None:
    """Raise InputError for the first error, for those who are about to make devices."""
    for one in check(spec, room):
        if one.severity is Severity.ERROR:
            raise InputError(one.message, hint=one.hint, file=one.file or None, line=one.line or None)
