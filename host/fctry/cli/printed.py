"""How findings are printed: as lines, in colour on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TextIO

from fctry.cli.text import counted, escaped
from fctry.findings import Finding, Severity

COLOURS = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
Piece = tuple[str, str]
"""A text and its style; the style is for terminals only."""


def print_findings(findings: Sequence[Finding], subject: str, *, file: TextIO | None = None) -> None:
    """One line for each finding, its remedy below it unless that was said before, and a summary that begins so."""
    lines: list[list[Piece]] = []
    told = {""}
    for one in findings:
        rule = f"{one.code}, {one.rule.scope}" if one.rule.scope else one.code
        place, severity = (f"{one.where}: " if one.where else ""), one.severity.value
        lines.append(
            [(place, ""), (severity, COLOURS[one.severity]), (f": {one.message} ", ""), (f"[{rule}]", "dim")]
        )
        if one.hint not in told:
            lines.append([("    remedy: ", "green"), (one.hint, "")])
            told.add(one.hint)
    counts = {severity: sum(one.severity is severity for one in findings) for severity in Severity}
    numbers = [counted(number, severity.value) for severity, number in counts.items() if number]
    verdict = f"{', '.join(numbers)}; `fctry docs CODE` explains a code" if findings else "no findings"
    print_pieces([*lines, [(subject + verdict, "bold")]], file=file)


def print_pieces(lines: Sequence[Sequence[Piece]], *, file: TextIO | None = None) -> None:
    """Print lines, with their styles when it is a terminal that reads them."""
    file = file or sys.stdout
    if not file.isatty():
        for line in lines:
            print(escaped("".join(text for text, _ in line)).rstrip(), file=file)
        return
    from rich.text import Text

    from fctry.cli.console import Console  # a check that is read by a program does without

    console = Console(soft_wrap=True, file=file)
    for line in lines:
        console.print(Text.assemble(*((escaped(text), style) for text, style in line)))
