"""Findings as SARIF, which code review shows beside the lines.

Source: OASIS Static Analysis Results Interchange Format (SARIF) 2.1.0.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fctry.findings import Finding, Rule, Severity

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def sarif(findings: Sequence[Finding], tool: str) -> dict[str, Any]:
    """One run of `tool` with these findings, as JSON-ready data. Paths are relative when they were given so."""
    rules = sorted({finding.rule for finding in findings}, key=lambda rule: rule.code)
    results = [_result(finding, rules.index(finding.rule)) for finding in findings]
    driver = {"name": tool, "rules": [_rule(rule) for rule in rules]}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}


def _rule(rule: Rule[Any, Any]) -> dict[str, Any]:
    return {
        "id": rule.code,
        "shortDescription": {"text": rule.title},
        "help": {"text": rule.docs, "markdown": f"`{rule.docs}`"},
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
    }


def _result(finding: Finding, rule_index: int) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": _uri(finding.file)}}
    if finding.line:
        place["region"] = {"startLine": finding.line}
    text = f"{finding.place}: {finding.message}" if finding.place else finding.message
    return {
        "ruleId": finding.code,
        "ruleIndex": rule_index,
        "level": LEVELS[finding.severity],
        "message": {"text": f"{text}. Remedy: {finding.hint}" if finding.hint else text},
        "locations": [{"physicalLocation": place}],
    }


def _uri(file: str) -> str:
    from urllib.parse import quote  # only here: a fifth of the time of a check

    path = Path(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())
