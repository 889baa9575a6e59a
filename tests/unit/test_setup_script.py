"""scripts/setup says in one line what is lacking, and makes a .venv anew that is not what it should be."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "setup"
UV = """#!/bin/sh
# in place of uv: it makes what counts, and installs nothing
echo "uv $*" >> calls
[ "$1" != venv ] || { mkdir -p .venv/bin && ln -s "$4" .venv/bin/python; }
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkout with the script alone, and programs of its own."""
    (tmp_path / "bin").mkdir()
    _program(tmp_path, "uv", UV)
    for name in ("sh", "cc", "rm", "touch", "mkdir", "ln"):
        (tmp_path / "bin" / name).symlink_to(shutil.which(name) or name)
    return tmp_path


def _program(folder: Path, name: str, text: str) -> None:
    path = folder / "bin" / name
    path.write_text(text)
    path.chmod(0o755)


def _run(folder: Path, extra: str = "run", **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("HOME", "LD_LIBRARY_PATH") if name in os.environ}
    said = {"PATH": str(folder / "bin"), "PYTHON": sys.executable, **environment}
    return subprocess.run(
        [SCRIPT, extra], cwd=folder, env=kept | said, capture_output=True, text=True, check=False
    )


def test_all_that_is_lacking_is_said_at_once_with_its_remedy(folder: Path) -> None:
    _program(folder, "old", "#!/bin/sh\ncase $2 in *exit*) exit 1;; esac\necho 3.9.2\n")
    _program(folder, "bare", "#!/bin/sh\nexit 1\n")
    done = _run(folder, PYTHON="old", CC="nocc")
    assert done.returncode == 1
    first, second = done.stderr.splitlines()
    assert (
        first
        == "error: old is 3.9.2: Python 3.10 or newer is needed; name another, as in make PYTHON=python3.12"
    )
    assert second.startswith(
        "error: no C compiler (nocc): install one (Debian, Ubuntu: apt install gcc libc6-dev"
    )
    assert "libc6-dev" in _run(folder, CC="bare").stderr
    assert "install Python 3.10 or newer" in _run(folder, PYTHON="nopython").stderr
    (folder / "bin" / "uv").unlink()
    _program(folder, "novenv", '#!/bin/sh\ncase $2 in *ensurepip*) exit 1;; esac\nexec "$REAL" "$@"\n')
    assert "apt install python3-venv" in _run(folder, PYTHON="novenv", REAL=sys.executable).stderr
    assert not (folder / "calls").exists()
    assert not (folder / ".venv").exists()


def test_finished_environment_is_kept_and_an_unfinished_one_made_anew(folder: Path) -> None:
    assert _run(folder).returncode == 0
    assert (folder / "calls").read_text().splitlines() == [
        f"uv venv --quiet --python {sys.executable} .venv",
        "uv pip install --constraint requirements/newest.txt --editable .",
    ]
    (folder / ".venv" / "kept").touch()
    assert _run(folder, "dev", LOCK="oldest").returncode == 0
    assert (folder / "calls").read_text().splitlines()[2:] == [
        "uv pip install --constraint requirements/oldest.txt --editable .[dev]"
    ]
    assert (folder / ".venv" / "kept").exists()

    for name in (".installed", ".installed-run"):
        (folder / ".venv" / name).unlink()
    done = _run(folder)
    assert "was not finished: it is made anew" in done.stdout
    assert not (folder / ".venv" / "kept").exists()

    (folder / ".venv" / "bin" / "python").unlink()
    assert "the Python of .venv is gone: it is made anew" in _run(folder).stdout
    assert (folder / ".venv" / "bin" / "python").exists()


PYTHON = """#!/bin/sh
# in place of a virtual environment's Python, with fctry in it unless it is said to have become another
[ "$2" != "import fctry" ] || [ ! -e "$(dirname "$0")/another" ]
"""


@pytest.fixture
def checkout(folder: Path) -> Path:
    """One with the Makefile and a finished environment of the newest versions."""
    shutil.copy(SCRIPT.parents[1] / "Makefile", folder)
    (folder / "scripts").mkdir()
    _program(folder, "python", PYTHON)
    for name in ("dirname", "cat", "make"):
        (folder / "bin" / name).symlink_to(shutil.which(name) or name)
    (folder / "scripts" / "setup").symlink_to(SCRIPT)
    (folder / "bin" / "python3").symlink_to(sys.executable)
    for name in ("pyproject.toml", "requirements/newest.txt", "requirements/oldest.txt"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    assert _run(folder, "dev").returncode == 0
    (folder / ".venv" / "bin" / "python").unlink()
    (folder / "bin" / "python").rename(folder / ".venv" / "bin" / "python")
    return folder


def _make(folder: Path, *arguments: str) -> str:
    """What `make setup` does, if anything."""
    command = ["make", "--no-print-directory", "setup", *arguments]
    said = {"PATH": str(folder / "bin"), "HOME": str(folder)}
    done = subprocess.run(command, cwd=folder, env=said, capture_output=True, text=True, check=False)
    return done.stdout


def test_other_versions_are_installed_when_they_are_asked_for(checkout: Path) -> None:
    assert "setting up" not in _make(checkout)
    for lock in ("oldest", "newest"):
        calls = (checkout / "calls").read_text()
        assert "setting up" in _make(checkout, f"LOCK={lock}")
        assert f"--constraint requirements/{lock}.txt" in (checkout / "calls").read_text()[len(calls) :]
        assert "setting up" not in _make(checkout, f"LOCK={lock}")


def test_environment_whose_python_has_become_another_is_made_anew(checkout: Path) -> None:
    (checkout / ".venv" / "bin" / "another").touch()
    assert "it is made anew" in _make(checkout)
