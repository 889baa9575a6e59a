"""docs/testing.md, line by line, as a person types it: idf.py and the cable are stand-ins."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from fctry.boards import Board
from fctry.project import open_project
from fctry.reference.native_build import build, recipe_of
from fctry.settings import find_settings

PAGE = Path(__file__).parents[2] / "docs" / "testing.md"
IDF = "#!/bin/sh\n# in place of ESP-IDF: a build for the simulated board\ncp -r {build} build\n"
OPTIONS = "-p no:hypothesispytest -p no:benchmark -p no:xdist -p no:xdist.looponfail -p no:timeout"
"""What `pip install 'fctry[pytest]'` does not bring."""
PORTS = """
import fctry.serialport
from fctry.serialport.find import FoundPort
fctry.serialport.find_ports = lambda: [FoundPort({url!r}, "in place of USB", "")]
"""


def test_every_line_of_the_page_works(tmp_path: Path) -> None:
    text = PAGE.read_text(encoding="utf-8")
    programs = Path(sys.executable).parent
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment |= {"PATH": f"{tmp_path}{os.pathsep}{programs}{os.pathsep}{os.environ['PATH']}"}
    environment |= {"PYTEST_ADDOPTS": OPTIONS, "PYTEST_DEBUG_TEMPROOT": str(tmp_path)}
    outputs: list[str] = []
    folder, board = tmp_path, None
    try:
        for block in re.findall(r"^```(\w+)\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            for line in _lines(folder, *block):
                if line.startswith("pip install"):
                    assert line == "pip install 'fctry[pytest]'"  # it is installed, editable
                    continue
                if line.startswith("cd "):
                    folder /= line.removeprefix("cd ")
                    continue
                if line.startswith("idf.py"):
                    board = _connect(tmp_path, folder, environment)
                done = subprocess.run(
                    shlex.split(line),
                    cwd=folder,
                    env=environment,
                    capture_output=True,
                    text=True,
                    check=False,
                )
                assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
                outputs.append(done.stdout)
    finally:
        if board:
            board.close()
    passed = [found[1] for output in outputs if (found := re.search(r"(\d+) passed", output))]
    assert passed == ["2", "3"]
    assert "skipped" not in "".join(outputs)


def _lines(folder: Path, language: str, block: str) -> list[str]:
    """The commands of a block of the page; one of Python is written into the file that its first line names."""
    if language == "console":
        return [line.removeprefix("$ ") for line in block.splitlines()]
    (folder / block.partition("\n")[0].removeprefix("# ")).write_text(block, encoding="utf-8")
    return []


def _connect(place: Path, project: Path, environment: dict[str, str]) -> Board:
    """A simulated board in the place of the connected one, found as that is found, and an idf.py that builds for it."""
    made = build(recipe_of(open_project(find_settings(folder=project))))
    idf = place / "idf.py"
    idf.write_text(IDF.format(build=shlex.quote(str(made))))
    idf.chmod(0o755)
    board = Board(place / "flash.bin", [made]).__enter__()
    (place / "ports.py").write_text(PORTS.format(url=board.url))
    environment |= {"PYTHONPATH": str(place), "PYTEST_ADDOPTS": f"{OPTIONS} -p ports"}
    return board
