"""Who works with a ledger, and what a station keeps of ledgers outside of them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fctry.identity.draft import Context


def state_folder() -> Path:
    """Where a station keeps what it knows of ledgers outside of them: FCTRY_STATE, or the user's state folder."""
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(os.environ.get("FCTRY_STATE") or Path(home, "fctry"))


@dataclass(frozen=True)
class Station:
    """Who works with the ledger, for the journal, and where its keys and witnesses are."""

    name: str = ""
    operator: str = ""
    folder: Path = Path()

    def said(self, context: Context | None = None, **more: Any) -> dict[str, Any]:
        """What a line of the journal says of it."""
        data = {"station": self.name, "operator": self.operator, **more}
        if context:
            data |= {"lot": context.lot, "line": context.line}
        said = {name: value for name, value in data.items() if value not in ("", None)}
        return {name: readable(value) if isinstance(value, str) else value for name, value in said.items()}


def readable(text: str) -> str:
    """The text as every database has it: bytes of an argument that are no UTF-8 are written out."""
    return text.encode(errors="surrogateescape").decode(errors="backslashreplace")
