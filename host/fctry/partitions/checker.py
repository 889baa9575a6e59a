"""Runs the rules over a layout and says all that they find."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from fctry.findings import Finding, Severity
from fctry.partitions.additions import with_places
from fctry.partitions.keywords import version_name
from fctry.partitions.layout import Layout
from fctry.partitions.rule import NOTHING, Evidence, LayoutRule
from fctry.partitions.rules import rules_for


def check(layout: Layout, evidence: Evidence = NOTHING) -> list[Finding]:
    """All findings about `layout`, in the order of its lines, those of the whole table first."""
    found = sorted(_findings(layout, evidence), key=lambda finding: (finding.file, finding.line))
    return [one._replace(file=one.file or layout.file) for one in with_places(layout, found)]


def applicable(layout: Layout, evidence: Evidence = NOTHING) -> list[LayoutRule]:
    """The rules that `check` looks at, whether they find anything or not."""
    return [rule for rule in rules_for(*evidence.kinds) if rule.since <= layout.options.idf]


def enforced_findings(layout: Layout) -> list[Finding]:
    """Why gen_esp32part.py of the configured ESP-IDF release refuses `layout`: nothing when it does not."""
    enforced = {rule for rule in applicable(layout) if rule.enforced}
    return [finding for finding in _findings(layout, NOTHING) if finding.rule in enforced]


def report(layout: Layout, findings: Sequence[Finding]) -> dict[str, Any]:
    """The findings with the table that they are about, as JSON-ready data."""
    return {
        "file": layout.file,
        "idf": version_name(layout.options.idf),
        "partitions": [asdict(partition) for partition in layout.table],
        "counts": {s.value: sum(finding.severity is s for finding in findings) for s in Severity},
        "findings": [finding.as_dict() for finding in findings],
    }


def _findings(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    """What was found while reading, and what the rules in force find."""
    rules = dict.fromkeys(applicable(layout, evidence))
    found = [*layout.findings]
    for rule in rules:
        found += rule.find(layout, evidence)
    return (finding for finding in found if finding.rule in rules)
