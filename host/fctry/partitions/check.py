"""Runs the rules over a layout and says all that they find."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fctry.findings import Finding, Severity
from fctry.partitions.codes import RULES, Needs, Rule
from fctry.partitions.keywords import version_name
from fctry.partitions.layout import Layout
from fctry.partitions.problems import Problem
from fctry.partitions.rules import TABLE_RULES, recipe

if TYPE_CHECKING:
    from fctry.partitions.flasher_args import FlasherArgs
    from fctry.partitions.sdkconfig import Sdkconfig
    from fctry.partitions.table import PartitionTable


@dataclass(frozen=True)
class LayoutFinding(Finding):
    """A finding with its place in parts: ``line`` is 0 when it is not that of one line."""

    file: str = ""
    line: int = 0
    since: str = ""
    docs: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {**super().as_dict(), "line": self.line or None}


@dataclass(frozen=True)
class Evidence:
    """What a layout is held against, as far as it is there.

    ``factory`` is the name of the factory partition when it is not to be guessed, ``image`` the bytes of a factory
    image, ``old`` the layout that devices in the field have, ``device`` the table of a connected board.
    """

    factory: str | None = None
    image: bytes | None = None
    sdkconfig: Sdkconfig | None = None
    build: FlasherArgs | None = None
    old: Layout | None = None
    device: PartitionTable | None = None

    @property
    def kinds(self) -> frozenset[Needs]:
        """Which rules have what they need."""
        given = {
            Needs.TABLE: True,
            Needs.IMAGE: self.image is not None,
            Needs.SDKCONFIG: self.sdkconfig is not None,
            Needs.BUILD: self.build is not None,
            Needs.AGAINST: self.old is not None,
            Needs.DEVICE: self.device is not None,
        }
        return frozenset(kind for kind, is_given in given.items() if is_given)


NOTHING = Evidence()


def check(layout: Layout, evidence: Evidence = NOTHING) -> list[LayoutFinding]:
    """All findings about ``layout``, in the order of its lines, those of the whole table first."""
    problems = [*layout.problems, *_problems(layout, evidence)]
    in_force = [problem for problem in problems if RULES[problem.code].since <= layout.options.idf]
    in_force.sort(key=lambda problem: (problem.file, problem.line))
    return [_finding(problem, layout) for problem in in_force]


def applicable(layout: Layout, evidence: Evidence = NOTHING) -> list[Rule]:
    """The rules that ``check`` looks at, whether they find anything or not."""
    kinds = evidence.kinds
    return [rule for rule in RULES.values() if rule.needs in kinds and rule.since <= layout.options.idf]


def fails(findings: Iterable[Finding], *, strict: bool = False) -> bool:
    """Whether these findings make a check fail: errors do, and warnings when ``strict``."""
    failing = {Severity.ERROR, Severity.WARNING} if strict else {Severity.ERROR}
    return any(finding.severity in failing for finding in findings)


def _problems(layout: Layout, evidence: Evidence) -> Iterator[Problem]:
    """What all rules find. Rules that need more than the table are imported only when there is more."""
    for rule in TABLE_RULES:
        yield from rule(layout)
    yield from recipe.factory(layout, evidence.factory)
    if evidence.image is not None:
        yield from recipe.image(layout, evidence.factory, evidence.image)
    if evidence.sdkconfig:
        from fctry.partitions.rules import project

        yield from project.problems(layout, evidence.sdkconfig)
    if evidence.build:
        from fctry.partitions.rules import build

        yield from build.problems(layout, evidence.build, evidence.factory)
    if evidence.old or evidence.device is not None:
        from fctry.partitions.rules import history

        if evidence.old:
            yield from history.against(layout, evidence.old, evidence.factory)
        if evidence.device is not None:
            yield from history.device(layout, evidence.device)


def _finding(problem: Problem, layout: Layout) -> LayoutFinding:
    rule = RULES[problem.code]
    file = problem.file or layout.file
    place = f"{file}:{problem.line}" if problem.line else file
    return LayoutFinding(
        code=problem.code,
        severity=rule.severity,
        where=place or (f"line {problem.line}" if problem.line else ""),
        message=problem.message,
        hint=problem.hint,
        file=file,
        line=problem.line,
        since=version_name(rule.since),
        docs=rule.docs,
    )
