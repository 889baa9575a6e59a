"""What checkers return: findings, all of them, each with a stable code."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any


class Severity(str, Enum):
    """How bad a finding is. Only an error makes a check fail."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True)
class Finding:
    """One thing that a checker has to say.

    ``code`` never changes its meaning (``nvs-page-crc``), ``where`` is a place that a person finds again
    (``partitions.csv:4``, ``page 1 entry 17``), ``hint`` is the remedy.
    """

    code: str
    severity: Severity
    where: str
    message: str
    hint: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The finding as JSON-ready data."""
        return {**asdict(self), "severity": self.severity.value}
