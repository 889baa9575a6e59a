"""Images are written by several processes: in order, 0600, and nobody is left behind."""

from __future__ import annotations

import hashlib
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fctry.errors import InputError
from fctry.identity.draft import Draft
from fctry.identity.writers import AHEAD, AT_ONCE, WORTH, Writers

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere one process writes all")


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


def run(action: str, folder: Path) -> str:
    command = [sys.executable, "-m", __name__, action, folder]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[3])
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_images_are_written_in_order_by_all(tmp_path: Path) -> None:
    written = int(run("whole", tmp_path).removeprefix("2 wrote "))
    assert {one.name for one in tmp_path.iterdir()} == {f"{n}.bin" for n in range(written)}
    assert {one.read_bytes() for one in tmp_path.iterdir()} == {
        b"".join(image(draft))[:7] for _, draft in devices(*range(written))
    }
    assert {stat.S_IMODE(one.stat().st_mode) for one in tmp_path.iterdir()} == {0o600}


def test_error_of_a_process_is_that_of_the_batch(tmp_path: Path) -> None:
    assert run("refused", tmp_path) == "no image none factory.toml:3\n"


def test_process_that_is_killed_is_told(tmp_path: Path) -> None:
    assert "was killed" in run("killed", tmp_path)


def test_processes_end_with_the_one_that_began_them(tmp_path: Path) -> None:
    command = [sys.executable, "-m", __name__, "hang", tmp_path]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]
    ) as process:
        assert process.stdout
        children = process.stdout.readline().split()
        assert len(children) == 2
        process.send_signal(signal.SIGKILL)
    deadline_s = time.monotonic() + 20
    while any(Path(f"/proc/{child}").exists() for child in children):
        assert time.monotonic() < deadline_s
        time.sleep(0.05)


if __name__ == "__main__":
    main(*sys.argv[1:])
