"""pytest as a process of its own, forked from one that has loaded what all of them load: that takes longer than a test.

    with serve() as run:
        done = run("-q", "test_a.py", cwd=folder)

What comes is what `subprocess.run([sys.executable, "-m", "pytest", …])` gives. This file is the server's program, too.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory
from typing import Protocol

from _pytest.config import default_plugins

TIMEOUT_S = 100.0
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
    if sys.platform != "linux":  # what has been loaded need not stand a fork
        yield partial(start, **NAMED_ONLY)
        return
    command = [sys.executable, __file__]
    with (
        TemporaryDirectory() as folder,  # where there are old folders, pytest removes them
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server,
    ):
        assert server.stdin
        assert server.stdout
        calls, answers = server.stdin, server.stdout

        def fork(*arguments: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
            argv = [*map(str, arguments)]
            with NamedTemporaryFile("r") as out, NamedTemporaryFile("r") as err:
                call = {
                    "argv": argv,
                    "cwd": str(cwd),
                    "env": environment_of_pytest(**NAMED_ONLY, PYTEST_DEBUG_TEMPROOT=folder, **environment),
                }
                print(json.dumps(call | {"out": out.name, "err": err.name}), file=calls, flush=True)
                end = threading.Timer(TIMEOUT_S, os.kill, (int(answers.readline()), signal.SIGKILL))
                end.start()
                code = int(answers.readline())
                end.cancel()
                return subprocess.CompletedProcess(argv, code, out.read(), err.read())

        yield fork


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


def _answer() -> None:
    for line in sys.stdin:
        call = json.loads(line)
        for name in {"", *call["argv"]} & LOADED.keys():
            for module in LOADED.pop(name):
                import_module(module)
            gc.freeze()
        pid = os.fork()
        if not pid:
            _become(**call)
        print(pid, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


def _become(argv: list[str], cwd: str, env: dict[str, str], out: str, err: str) -> None:
    """This process is `python -m pytest` from here on."""
    for number, (path, flags) in enumerate(
        [(os.devnull, os.O_RDONLY), (out, os.O_WRONLY), (err, os.O_WRONLY)]
    ):
        file = os.open(path, flags)
        os.dup2(file, number)
        os.close(file)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    sys.path[:1] = [cwd, *filter(None, env.get("PYTHONPATH", "").split(os.pathsep))]
    sys.argv[1:] = argv
    runpy.run_module("pytest", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _answer()
