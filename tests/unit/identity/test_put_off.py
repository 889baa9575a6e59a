"""Modules that are put off: not imported before they are used, and the real ones from then on."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
import fctry.identity.ledger
from sqlalchemy import __version__
used_at_once = {"asyncio"} if __version__ < "2.0.50" else set()
assert not {"asyncio", "importlib.metadata"} & set(sys.modules) - used_at_once, "imported"
from sqlalchemy.util import compat, concurrency, langhelpers
if hasattr(langhelpers, "importlib"):  # since 2.1
    assert langhelpers.importlib.metadata.version("sqlalchemy")
    assert not concurrency.iscoroutine(1)
    assert concurrency.is_exit_exception(compat.asyncio.CancelledError())
else:
    assert compat.importlib_metadata.version("sqlalchemy")
import asyncio.events
import importlib.metadata
if hasattr(compat, "asyncio"):
    assert compat.asyncio.CancelledError is asyncio.CancelledError
assert compat.importlib_metadata.Distribution is importlib.metadata.Distribution
asyncio.run(asyncio.sleep(0))
"""


def test_sqlalchemy_has_them_when_it_uses_them_and_so_has_everybody_else() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_class_of_a_module_that_is_put_off_is_the_real_one() -> None:
    program = """
import sys
from fctry.identity.ledger.put_off import put_off
sys.modules.pop("queue", None)
with put_off("queue"):
    import queue
    held = queue
    class Mine(queue.Queue): pass
import queue
assert issubclass(Mine, queue.Queue) and held.Queue is queue.Queue
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
