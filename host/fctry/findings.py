"""What checkers return: findings, all of them, each made by the rule that is broken."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from types import ModuleType
from typing import Any, Generic, NamedTuple, TypeVar

Subject = TypeVar("Subject")
Evidence = TypeVar("Evidence")
AnyRule = TypeVar("AnyRule", bound="Rule[Any, Any]")


class Severity(str, Enum):
    """How bad a finding is. Only an error makes a check fail."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO


class Rule(Generic[Subject, Evidence]):
    """A rule: what it is called, how bad a breach is, and the function that finds breaches.

    It decorates its function. A rule without one is found on the way by a reader or by another rule's function, beside
    which it stands. `code` never changes its meaning (`nvs-page-crc`), `title` says in short what it is about.
    """

    scope = ""
    """Where it does not hold everywhere: for which releases it does."""

    def __init__(self, code: str, severity: Severity, title: str) -> None:
        self.code = code
        self.severity = severity
        self.title = title
        self.find: Callable[[Subject, Evidence], Iterable[Finding]] = lambda subject, evidence: ()

    def __call__(self: AnyRule, find: Callable[[Subject, Evidence], Iterator[Finding]]) -> AnyRule:
        self.find = find
        return self

    @property
    def docs(self) -> str:
        """The command that shows what the documents say of it."""
        return f"fctry docs {self.code}"

    def as_dict(self) -> dict[str, Any]:
        """What a finding tells of its rule, as JSON-ready data."""
        return {"title": self.title, "docs": self.docs}


class Finding(NamedTuple):
    """One thing that a checker has to say.

    `hint` is the remedy. `line` counts from 1 and is 0 when it is not that of one line; `place` says it in other
    words where there are no lines (`page 1 entry 17`). `adds` is what the remedy adds, until it is known where to.
    """

    rule: Rule[Any, Any]
    severity: Severity
    message: str
    hint: str = ""
    file: str = ""
    line: int = 0
    place: str = ""
    adds: Any = None

    @property
    def code(self) -> str:
        return self.rule.code

    @property
    def where(self) -> str:
        """A place that a person finds again (`partitions.csv:4`)."""
        if self.place:
            return f"{self.file}: {self.place}" if self.file else self.place
        if self.line:
            return f"{self.file}:{self.line}" if self.file else f"line {self.line}"
        return self.file

    def as_dict(self) -> dict[str, Any]:
        """The finding as JSON-ready data."""
        return {
            "code": self.code,
            "severity": self.severity.value,
            "where": self.where,
            "message": self.message,
            "hint": self.hint,
            "file": self.file,
            "line": self.line or None,
            **self.rule.as_dict(),
        }


def rules_of(kind: type[AnyRule], *modules: ModuleType) -> list[AnyRule]:
    """All rules of these modules, in the order in which they stand there."""
    return [rule for module in modules for rule in vars(module).values() if isinstance(rule, kind)]


def fails(findings: Iterable[Finding], *, strict: bool = False) -> bool:
    """Whether these findings make a check fail: errors do, and warnings when `strict`."""
    return any(one.severity is ERROR or (strict and one.severity is WARNING) for one in findings)
