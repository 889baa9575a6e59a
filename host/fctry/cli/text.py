"""Words for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def counted(number: int, noun: str) -> str:
    """A number of things: `1 key`, `2 keys`."""
    return f"{number} {noun}{'s' * (number != 1)}"


def say_written(output: Path, text: str) -> None:
    """Say what was written, unless it went to standard output, which has nothing else then."""
    if str(output) != "-":
        print(f"{output}: {text}")


def escaped(text: str) -> str:
    """The text as a terminal may have it: control characters, also Unicode's, written as Python writes them."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
