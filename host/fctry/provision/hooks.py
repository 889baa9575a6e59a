"""What a station does around each try, for lamps, doors and an MES: executables `before`, `passed`, `failed`.

Each gets JSON on its standard input, `before` who tries where, the others the record, and the slot's name and port as
FCTRY_SLOT and FCTRY_PORT. One that does not end with 0 stops the try: a door that is open is not the device's fault.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fctry.errors import InputError

HOOKS = ("before", "passed", "failed")
_NAMED = f"executables called {', '.join(HOOKS)}"
TIMEOUT_S = 60.0  # somebody may have to close a door


def check_hooks(folder: Path) -> None:
    """Raise InputError for a folder that is none, is without any hook, or has one that would never be run."""
    if not folder.is_dir():
        raise InputError("no such folder", hint=f"--hooks takes a folder of {_NAMED}", file=folder)
    for name in HOOKS:
        if (folder / name).exists() and not _executable(folder, name):
            raise InputError(
                "the hook is not executable",
                hint=f"chmod +x {folder / name}, or rename it",
                file=folder / name,
            )
    if not any(_executable(folder, name) for name in HOOKS):
        raise InputError("no hooks in it", hint=f"put in {_NAMED}", file=folder)


def run_hook(folder: Path, name: str, said: Mapping[str, Any], *, slot: str = "", port: str = "") -> None:
    """Run a hook, if it is there. Raises InputError when it fails."""
    program = _executable(folder, name)
    if not program:
        return
    environment = {**os.environ, "FCTRY_SLOT": slot, "FCTRY_PORT": port}
    try:
        done = subprocess.run(
            [program],
            input=json.dumps(said).encode(),
            capture_output=True,
            timeout=TIMEOUT_S,
            env=environment,
        )
    except OSError as error:
        raise InputError(
            f"the hook cannot be run: {error.strerror}",
            hint="a script begins with the line #!/bin/sh, or with whatever runs it",
            file=program,
        ) from error
    except subprocess.TimeoutExpired as error:
        raise InputError(
            f"the hook did not end within {TIMEOUT_S:g} s", hint="what it waits for comes first", file=program
        ) from error
    if done.returncode:
        last = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()[-1:]
        raise InputError(
            f"the hook ended with {done.returncode}{''.join(f': {line}' for line in last)}",
            hint="a hook ends with 0 when all is well",
            file=program,
        )


def _executable(folder: Path, name: str) -> str | None:
    return shutil.which(name, path=str(folder.absolute()))
