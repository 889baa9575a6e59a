"""Rich's console as commands print with it."""

from __future__ import annotations

from typing import Any

from rich import console


class Console(console.Console):
    """It colours only what it is told to, and leaves it to `main` that a reader has seen enough."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(highlight=False, **attributes)

    def on_broken_pipe(self) -> None:
        raise  # the BrokenPipeError that is being handled
