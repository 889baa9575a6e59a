"""A process that writes images by several others, as a script: `writing.py ACTION FOLDER`."""

from __future__ import annotations

import hashlib
import os
import signal
import sys
import time
from pathlib import Path

from fctry.errors import InputError
from fctry.identity import writers as module
from fctry.identity.draft import Draft
from fctry.identity.writers import AHEAD, WORTH, Writers

AT_ONCE = module.AT_ONCE // 4  # as many parts, of fewer images


def image(draft: Draft) -> tuple[bytes, bytes]:
    if draft.values["n:number"] == -1:
        raise InputError("no image", hint="none", file="factory.toml", line=3)
    if draft.values["n:number"] == -2:
        os.kill(os.getpid(), signal.SIGKILL)
    return b"%d " % draft.values["n:number"], draft.secrets["n:secret"].encode() * 1000


def devices(*numbers: int) -> list[tuple[str, Draft]]:
    return [(f"{n}.bin", Draft({"n:number": n}, {"n:secret": "é"}, {"x": "y" * 999}, ())) for n in numbers]


def main(action: str, folder: str) -> None:
    """What a process without threads does: pytest has some."""
    module.AT_ONCE = AT_ONCE
    with Writers(image, lambda plain: plain[:7], WORTH, processes=2) as writers:
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
        if action == "hang":
            next(writers.write(folder, devices(*range(2000))))
            print(*children, flush=True)
            time.sleep(60)
        wrong = {"refused": [-1], "killed": [-2]}.get(action, [])
        count = 2 * AHEAD * AT_ONCE * 2 + 7
        try:
            digests = list(writers.write(folder, devices(*range(count), *wrong, *range(count, 2 * count))))
        except InputError as error:
            print(error.message, error.hint, error.where)
            return
    assert digests == [
        hashlib.sha256(b"".join(image(draft))).hexdigest() for _, draft in devices(*range(2 * count))
    ]
    print(len(children), "wrote", 2 * count)


if __name__ == "__main__":
    main(*sys.argv[1:])
