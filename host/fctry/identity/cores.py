"""How many processes this one may use, and whether it can be forked."""

from __future__ import annotations

import os
import sys


def cores() -> int:
    """As many as this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def is_forkable() -> bool:
    """Whether a fork is as whole as this process: it has no other thread, Python's or not."""
    return sys.platform == "linux" and len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208 names are enough
