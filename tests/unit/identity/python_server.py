"""Programs in processes of their own, without threads, forked from one that has loaded what they need.

What comes is what `subprocess.run([sys.executable, "-c", program, …])` gives. This file is the server's program, too.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Protocol

ROOT = Path(__file__).parents[3]


class RunPython(Protocol):
    def __call__(self, program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Runs it where this process is, with its environment."""


@contextmanager
def serve(*modules: str) -> Iterator[RunPython]:
    """Runs one program at a time; `modules` are loaded."""
    with subprocess.Popen(
        [sys.executable, __file__, *modules], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin
        assert server.stdout
        calls, answers = server.stdin, server.stdout

        def run(program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
            argv = [*map(str, arguments)]
            with NamedTemporaryFile("r") as out, NamedTemporaryFile("r") as err:
                call = {"program": program, "argv": argv, "cwd": str(Path.cwd()), "env": dict(os.environ)}
                print(json.dumps(call | {"out": out.name, "err": err.name}), file=calls, flush=True)
                return subprocess.CompletedProcess(argv, int(answers.readline()), out.read(), err.read())

        yield run


def _answer(modules: list[str]) -> None:
    sys.path.insert(0, str(ROOT))
    for module in modules:
        import_module(module)
    gc.freeze()
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            _become(**json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


def _become(program: str, argv: list[str], cwd: str, env: Mapping[str, str], out: str, err: str) -> None:
    """This process is `python -c program` from here on."""
    for number, (path, flags) in enumerate(
        [(os.devnull, os.O_RDONLY), (out, os.O_WRONLY), (err, os.O_WRONLY)]
    ):
        file = os.open(path, flags)
        os.dup2(file, number)
        os.close(file)
    code = 1
    try:
        os.chdir(cwd)
        os.environ.clear()
        os.environ.update(env)
        sys.argv[1:] = argv
        exec(program, {"__name__": "__main__"})
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _answer(sys.argv[1:])
