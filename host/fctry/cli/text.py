"""Words for people."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


VALUE_WIDTH, VALUE_WIDTH_MIN = 60, 8


def counted(number: int, noun: str) -> str:
    """A number of things: `1 key`, `2 keys`."""
    return f"{number} {noun}{'s' * (number != 1)}"


def cut(text: str, width: int, end: str = "…") -> str:
    """The text in so many columns, with an end that says that there is more."""
    if len(text) <= width:
        return text
    end = end if len(end) <= width // 2 else "…"
    return text[: max(1, width - len(end))] + end


def shortened(text: str, size_bytes: int, width: int = VALUE_WIDTH) -> str:
    """A value, or its beginning and how many bytes it has: in every table the same way."""
    return cut(text, width, f"… ({size_bytes} bytes)")


def fitted(line: str) -> str:
    """The line as wide as the terminal is; all of it where no terminal reads it."""
    if not sys.stdout.isatty():
        return line
    from shutil import get_terminal_size  # costs more than what most commands print

    return cut(line, get_terminal_size().columns)


def say_written(output: Path, text: str) -> None:
    """Say what was written, unless it went to standard output, which has nothing else then."""
    if str(output) != "-":
        print(f"{output}: {text}")


def escaped(text: str) -> str:
    """The text as a terminal may have it: control characters, also Unicode's, written as Python writes them."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
