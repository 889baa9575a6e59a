"""What esptool says, as lines for a log in place of the terminal, apart for each thread.

Source: esptool 5, documentation "Scripting", "Custom logger".
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

from esptool import loader
from esptool.logger import EsptoolLogger, log
from rich.text import Text

_NO_RESET = 'option "no-reset" was selected'

Log = Callable[[str], None]


class _Chatter(EsptoolLogger):  # type: ignore[misc]  # esptool ships no types
    """esptool's logger, which hands over what it is told in a context of `logged`, and prints everywhere else."""

    def print(self, *args: Any, **kwargs: Any) -> None:
        """What all kinds of messages end in."""
        lines = _lines.get()
        if lines is None:
            super().print(*args, **kwargs)
        else:
            text = " ".join(Text.from_markup(str(arg)).plain for arg in args)
            lines.write(text + str(kwargs.get("end", "\n")))

    def note(self, message: str, *args: Any) -> None:
        """A hint for people. That a chip which waits for download is not reset once more is none."""
        if _lines.get() is None or _NO_RESET not in message:
            super().note(message, *args)

    def stage(self, finish: bool = False) -> None:
        """The start or end of lines that a terminal may fold away."""
        if _lines.get() is None:
            super().stage(finish)


class _Hexadecimal(loader.HexFormatter):  # type: ignore[misc]
    """Bytes for esptool's trace, which formats each packet before it looks whether to; here nobody traces."""

    def __str__(self) -> str:
        return str(super().__str__()) if _lines.get() is None else ""


class _Lines:
    """Whole lines out of pieces of text, for a log; without one they are dropped."""

    def __init__(self, log: Log | None) -> None:
        self._log = log
        self._rest = ""

    def write(self, text: str) -> None:
        *lines, self._rest = (self._rest + text).split("\n")
        if self._log is not None:
            for line in lines:
                if line.strip():
                    self._log(line.rstrip())


_lines: ContextVar[_Lines | None] = ContextVar("_lines", default=None)


@contextlib.contextmanager
def logged(to: Log | None) -> Iterator[None]:
    """Send what esptool says in this thread, warnings too, to a log instead of the terminal."""
    _install_chatter()
    token = _lines.set(_Lines(to))
    try:
        yield
    finally:
        _lines.reset(token)


@functools.cache
def _install_chatter() -> None:
    log.set_logger(_Chatter())
    loader.HexFormatter = _Hexadecimal
