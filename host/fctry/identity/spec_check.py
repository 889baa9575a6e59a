"""Everything that is wrong with a spec, before the first device."""

from __future__ import annotations

from fctry.errors import InputError
from fctry.findings import Finding, Severity, rules_of
from fctry.identity import sdk_rules, spec_rules
from fctry.identity.sources.station import AtStation
from fctry.identity.spec import Spec
from fctry.identity.spec_rules import Room, SpecRule

RULES = rules_of(SpecRule, spec_rules, sdk_rules)


def check(spec: Spec, room: Room | None = None) -> list[Finding]:
    """All findings, in the order of the rules."""
    return [finding for rule in RULES for finding in rule.find(spec, room or Room())]


def require_difference(spec: Spec) -> None:
    """Raise InputError for a spec of which all devices would be the same."""
    sources = [spec.sources[name] for name in spec.used]
    if not any(one.counter or one.is_random or isinstance(one, AtStation) for one in sources):
        hint = "count something, draw something, or give a CSV with a line per device"
        raise InputError("all devices would be the same", hint=hint, file=spec.file)


def require_files(spec: Spec) -> None:
    """Raise InputError for a source whose values do not come from the spec's files alone: it needs a ledger."""
    for name in spec.used:
        one = spec.sources[name]
        if one.counter or one.is_random or isinstance(one, AtStation):
            what = "counts" if one.counter else "draws what the files do not say"
            hint = "a ledger remembers it: leave out `--ledger none`"
            raise InputError(f"source {name} {what}", hint=hint, file=spec.file)


def require(spec: Spec, room: Room | None = None) -> None:
    """Raise InputError for the first error, for those who are about to make devices."""
    for one in check(spec, room):
        if one.severity is Severity.ERROR:
            raise InputError(one.message, hint=one.hint, file=one.file or None, line=one.line or None)
