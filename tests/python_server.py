"""Programs in processes of their own, without threads, forked from one that has loaded what they need.

What comes is what `subprocess.run([sys.executable, "-c", program, …])` gives. This file is the server's program, too.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Protocol

ROOT = Path(__file__).parents[1]
TIMEOUT_S = 100.0


class RunPython(Protocol):
    def __call__(
        self,
        program: str,
        *arguments: str | Path,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        modules: Collection[str] = (),
    ) -> subprocess.CompletedProcess[str]:
        """Runs it where this process is, with its environment, unless told otherwise; `modules` are loaded for all."""


@contextmanager
def serve() -> Iterator[RunPython]:
    """Runs one program at a time."""
    if sys.platform != "linux":  # what has been loaded need not stand a fork
        yield start
        return
    with subprocess.Popen(
        [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin
        assert server.stdout
        calls, answers = server.stdin, server.stdout

        def fork(
            program: str,
            *arguments: str | Path,
            cwd: Path | None = None,
            env: Mapping[str, str] | None = None,
            modules: Collection[str] = (),
        ) -> subprocess.CompletedProcess[str]:
            argv = [*map(str, arguments)]
            with NamedTemporaryFile("r") as out, NamedTemporaryFile("r") as err:
                call = {
                    "program": program,
                    "argv": argv,
                    "cwd": str(cwd or Path.cwd()),
                    "env": dict(os.environ if env is None else env),
                    "out": out.name,
                    "err": err.name,
                }
                print(json.dumps([[*modules], call]), file=calls, flush=True)
                end = threading.Timer(TIMEOUT_S, os.kill, (int(answers.readline()), signal.SIGKILL))
                end.start()
                code = int(answers.readline())
                end.cancel()
                return subprocess.CompletedProcess(argv, code, out.read(), err.read())

        yield fork


def start(
    program: str,
    *arguments: str | Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    modules: Collection[str] = (),
) -> subprocess.CompletedProcess[str]:
    """Run it without a server."""
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


def _answer() -> None:
    sys.path[:1] = [str(ROOT)]
    for line in sys.stdin:
        modules, call = json.loads(line)
        for module in modules:
            import_module(module)
        gc.freeze()
        pid = os.fork()
        if not pid:
            _become(**call)
        print(pid, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


def _become(program: str, argv: list[str], cwd: str, env: Mapping[str, str], out: str, err: str) -> None:
    """This process is `python -c program` from here on."""
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
    exec(program, {"__name__": "__main__"})
    sys.exit()  # as every program ends, with what it has for its end


if __name__ == "__main__":
    _answer()
