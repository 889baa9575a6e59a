"""What a station remembers of the values that it has handed out: a tag each, in a file outside of the ledger.

A backup that is put back knows nothing of what was handed out since. Counters go on behind what the witness has seen;
random values have no order, so their tags say which of them are burnt.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from fctry.errors import LedgerError

SUFFIX = ".handed-out"
TAG = re.compile(r"[0-9a-f]{6}|[0-9a-f]{16}")  # a power cut may leave half of one


def remember(folder: Path, ledger: str, tags: Sequence[str]) -> None:
    """Add tags, for good. Raises LedgerError."""
    if not tags:
        return
    path = folder / f"{ledger}{SUFFIX}"
    try:
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            text = "\n".join(["", *tags]).encode()  # behind half of one, if there is such
            if os.write(opened, text) < len(text):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(opened)
        finally:
            os.close(opened)
    except OSError as error:
        raise LedgerError(
            f"the station cannot remember what it has handed out: {error.strerror}",
            hint="what was reserved just now is in the ledger and nobody has it: make room, and go on",
            file=path,
        ) from None


def remembered(folders: Iterable[Path], ledger: str) -> set[str]:
    """The tags in the state folders of stations."""
    tags: set[str] = set()
    for folder in folders:
        path = folder / f"{ledger}{SUFFIX}"
        if path.exists():
            tags.update(one for one in path.read_text().split("\n") if TAG.fullmatch(one))
    return tags
