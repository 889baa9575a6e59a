"""Ends a process when this one is gone, whatever ended it: for programs that outlive those who started them."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterable
from pathlib import Path

# waits for the end of its stdin, which comes when the last process that holds the other end is gone
_SCRIPT = 'read -r _; kill -KILL "$1"; shift; [ $# = 0 ] || rm -rf -- "$@"'


class Guardian:
    """Guards the process `pid` until it is dismissed: before the number can belong to another process.

    `folders` are removed with it.
    """

    def __init__(self, pid: int, folders: Iterable[Path] = ()) -> None:
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", _SCRIPT, "sh", str(pid), *map(str, folders)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def dismiss(self) -> None:
        """Guard no more. Without effect the second time."""
        self._process.kill()
        self._process.wait()
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
