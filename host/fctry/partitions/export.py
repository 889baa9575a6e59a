"""Findings for programs: as JSON of our own, and as SARIF, which code review shows beside the lines.

Source: OASIS Static Analysis Results Interchange Format (SARIF) 2.1.0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import PurePath
from typing import Any

from fctry.findings import Severity
from fctry.partitions.check import LayoutFinding
from fctry.partitions.codes import RULES, Rule
from fctry.partitions.keywords import version_name
from fctry.partitions.layout import Layout

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def report(layout: Layout, findings: Sequence[LayoutFinding]) -> dict[str, Any]:
    """The findings with the table that they are about, as JSON-ready data."""
    counts = {s.value: sum(finding.severity is s for finding in findings) for s in Severity}
    return {
        "file": layout.file,
        "idf": version_name(layout.options.idf),
        "partitions": [asdict(partition) for partition in layout.table],
        "counts": counts,
        "findings": [finding.as_dict() for finding in findings],
    }


def sarif(findings: Sequence[LayoutFinding]) -> dict[str, Any]:
    """One run with these findings, as JSON-ready data. Paths are relative when they were given so."""
    codes = sorted({finding.code for finding in findings})
    rules = [_rule(RULES[code]) for code in codes]
    results = [_result(finding, codes.index(finding.code)) for finding in findings]
    driver = {"name": "fctry layout check", "rules": rules}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.code,
        "shortDescription": {"text": rule.title},
        "help": {"text": f"See {rule.docs}", "markdown": f"See [{rule.code}]({rule.docs})"},
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
    }


def _result(finding: LayoutFinding, rule_index: int) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": _uri(finding.file)}}
    if finding.line:
        place["region"] = {"startLine": finding.line}
    text = f"{finding.message}. Remedy: {finding.hint}" if finding.hint else finding.message
    return {
        "ruleId": finding.code,
        "ruleIndex": rule_index,
        "level": LEVELS[finding.severity],
        "message": {"text": text},
        "locations": [{"physicalLocation": place}],
    }


def _uri(file: str) -> str:
    from urllib.parse import quote  # only here: a fifth of the time of a check

    path = PurePath(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())
