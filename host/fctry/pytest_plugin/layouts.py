"""Partition CSVs as pytest files: one test for each rule, with the finding as its failure.

`pytest partitions.csv` checks a table that is named, `pytest --fctry-layouts` every `partitions*.csv` in the tree. A
finding that is no error is a LayoutWarning, which fails where warnings are errors. An sdkconfig or sdkconfig.defaults
beside the CSV is read when it is about that CSV.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from fctry.findings import Finding
    from fctry.partitions.rule import LayoutRule

PATTERN = "partitions*.csv"


class LayoutWarning(UserWarning):
    """A finding that does not make a table unusable."""


class LayoutError(Exception):
    """What a rule found."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("fctry", "factory data").addoption(
        "--fctry-layouts",
        action="store_true",
        help=f"check every {PATTERN} in the tree, not only those that are named",
    )


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> LayoutFile | None:
    if not file_path.match(PATTERN):
        return None
    if not (parent.session.isinitpath(file_path) or parent.config.getoption("--fctry-layouts")):
        return None
    return LayoutFile.from_parent(parent, path=file_path)


class LayoutFile(pytest.File):
    """A partition CSV."""

    def collect(self) -> Iterator[LayoutItem]:
        from fctry.partitions.checker import applicable, check
        from fctry.partitions.rule import Evidence
        from fctry.project import open_project
        from fctry.settings import find_settings

        project = open_project(find_settings(self.path), variables=os.environ)
        name = os.path.relpath(self.path, self.config.invocation_params.dir)
        layout = replace(project.layout, file=name)
        evidence = Evidence(factory=project.settings.partition, sdkconfig=project.sdkconfig)
        findings = check(layout, evidence)
        for rule in applicable(layout, evidence):
            found = [finding for finding in findings if finding.rule is rule]
            yield LayoutItem.from_parent(self, name=rule.code, rule=rule, findings=found)


class LayoutItem(pytest.Item):
    """One rule, held against the table."""

    def __init__(self, *, rule: LayoutRule, findings: list[Finding], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rule = rule
        self.findings = findings
        self.funcargs: dict[str, Any] = {}  # pytest-embedded takes every test for one with fixtures

    def runtest(self) -> None:
        from fctry.findings import Severity

        if not self.findings:
            return
        text = "\n".join(_text(finding) for finding in self.findings)
        if self.rule.severity is Severity.ERROR:
            raise LayoutError(f"{text}\n{self.rule.code}: {self.rule.title} ({self.rule.docs})")
        if self.rule.severity is Severity.WARNING:
            warnings.warn_explicit(text, LayoutWarning, self.findings[0].file, self.findings[0].line)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The finding alone: a traceback through the checker says nothing about the table."""
        if isinstance(excinfo.value, LayoutError | LayoutWarning):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        line = self.findings[0].line if self.findings else 0
        return self.path, line - 1 if line else None, f"{self.path.name}: {self.rule.title}"


def _text(finding: Finding) -> str:
    remedy = f"\n    remedy: {finding.hint}" if finding.hint else ""
    return f"{finding.where}: {finding.message}{remedy}"
