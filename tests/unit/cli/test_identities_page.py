"""docs/identities.md, line by line."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from fctry.cli.main import main

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs/identities.md"


def test_every_command_of_the_page_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "product").mkdir()
    monkeypatch.chdir(tmp_path / "product")
    monkeypatch.setenv("FCTRY_STATE", str(tmp_path / "state"))
    shutil.copy(ROOT / "tests/data/nvs/article.csv", "config.csv")
    Path("values.csv").write_text("id,serial_number\nA1,1\nA2,2\n")
    commands = re.findall(r"^\$ fctry (.*)$", PAGE.read_text(), re.MULTILINE)
    assert len(commands) >= 9
    for command in commands:
        assert main(shlex.split(command)) == 0, command
    assert len(list(Path("images").glob("*.bin"))) == 1010
    assert Path("labels.pdf").read_bytes().startswith(b"%PDF")
