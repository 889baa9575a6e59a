"""Images are written by several processes: in order, 0600, and nobody is left behind."""

from __future__ import annotations

import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.unit.identity import writing
from tests.unit.identity.writing import devices, image

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere one process writes all")


def run(action: str, folder: Path) -> str:
    command = [sys.executable, "-m", writing.__name__, action, folder]
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
    command = [sys.executable, "-m", writing.__name__, "hang", tmp_path]
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
