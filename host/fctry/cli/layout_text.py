"""What `fctry layout check` prints: findings as lines, in colour on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from fctry.findings import Severity
from fctry.partitions.check import LayoutFinding
from fctry.partitions.keywords import OLDEST_IDF, version_name
from fctry.partitions.layout import Layout

COLOURS = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
Piece = tuple[str, str]
"""A text and its style; the style is for terminals only."""


def print_findings(layout: Layout, findings: Sequence[LayoutFinding], *, read_beside: str) -> None:
    """One line for each finding, its remedy below it, and a summary at the end."""
    lines: list[list[Piece]] = []
    for finding in findings:
        place = f"{finding.where}: " if finding.where else ""
        lines.append(
            [
                (place, ""),
                (finding.severity.value, COLOURS[finding.severity]),
                (f": {finding.message} ", ""),
                (f"[{finding.code}{_since(finding)}]", "dim"),
            ]
        )
        if finding.hint:
            lines.append([("    remedy: ", "green"), (finding.hint, "")])
    counts = {severity: sum(f.severity is severity for f in findings) for severity in Severity}
    told = [
        f"{number} {severity.value}{'s' * (number != 1)}" for severity, number in counts.items() if number
    ]
    beside = f" with {read_beside}" if read_beside else ""
    names = f"{len(layout.entries)} partition{'s' * (len(layout.entries) != 1)}"
    verdict = (", ".join(told) + "; codes: docs/layouts.md") if told else "no findings"
    lines.append([(f"{layout.file}{beside}: {names}, {verdict}", "bold")])
    print_pieces(lines)


def _since(finding: LayoutFinding) -> str:
    """From which release on it holds, if that is later than the oldest that is known."""
    return "" if finding.since == version_name(OLDEST_IDF) else f", since {finding.since}"


def print_pieces(lines: Sequence[Sequence[Piece]]) -> None:
    """Print lines, with their styles when it is a terminal that reads them."""
    if not sys.stdout.isatty():
        for line in lines:
            print("".join(text for text, _ in line).rstrip())
        return
    from rich.console import Console  # a check that is read by a program does without
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    for line in lines:
        console.print(Text.assemble(*line))
