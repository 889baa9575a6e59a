"""pytest as a process of its own, forked from one that has loaded what all of them load: that takes the most of it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from _pytest.config import default_plugins

from tests.python_server import TIMEOUT_S
from tests.python_server import serve as serve_python

PYTEST = "import runpy; runpy.run_module('pytest', run_name='__main__', alter_sys=True)"
NAMED_ONLY = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
LOADED = {
    "": ("pytest", "pdb", "unittest", *(f"_pytest.{name}" for name in default_plugins)),
    "fctry.pytest_plugin.layouts": ("fctry.partitions.checker", "fctry.settings"),
    "pytest_embedded.plugin": (
        "fctry.boards",
        "fctry.device.console",
        "fctry.device.flasher",
        "fctry.device.proof",
        "fctry.device.resets",
        "fctry.nvs.decoder",
        "fctry.nvs.encoder",
        "fctry.partitions.checker",
        "fctry.provision.partition",
        "fctry.reference.native_build",
        "fctry.serialport.protocol_rfc2217",
        "fctry.settings",
        "filelock",
        "multiprocessing.forkserver",
        "pytest_embedded_idf.dut",
        "pytest_embedded_idf.serial",
        "shelve",
        "sqlite3",
        "xml.dom.minidom",
    ),
}
"""What is loaded once, by the plugin that needs it. No plugins: each pytest rewrites their assertions itself."""


class RunPytest(Protocol):
    def __call__(
        self, *arguments: str | Path, cwd: Path, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Runs `python -m pytest` with the plugins that are named: others cost seconds."""


@contextmanager
def serve() -> Iterator[RunPytest]:
    """Runs pytest, one run at a time."""
    with (
        TemporaryDirectory() as folder,  # where there are old folders, pytest removes them
        serve_python() as run_python,
    ):

        def run(*arguments: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
            modules = [name for plugin in ("", *arguments) for name in LOADED.get(str(plugin), ())]
            env = environment_of_pytest(**NAMED_ONLY, PYTEST_DEBUG_TEMPROOT=folder, **environment)
            return run_python(PYTEST, *arguments, cwd=cwd, env=env, modules=modules)

        yield run


def start(*arguments: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run it without a server: with all plugins that are installed."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", *arguments],
        cwd=cwd,
        env=environment_of_pytest(**environment),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


def environment_of_pytest(**more: str) -> dict[str, str]:
    """Without what pytest-xdist tells its workers."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return kept | more
