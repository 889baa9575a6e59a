"""docs/provisioning.md, line by line, with two simulated boards in its slots."""

from __future__ import annotations

import io
import re
import shlex
from pathlib import Path

import pytest

from fctry.boards import Board
from fctry.cli.main import main
from fctry.identity.ledger import Station, open_ledger

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "provisioning.md").read_text()


def block(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


def test_every_command_of_the_page_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    product = tmp_path / "product"
    for folder in ("line", "hooks"):
        (product / folder).mkdir(parents=True)
    monkeypatch.chdir(product)
    monkeypatch.setenv("FCTRY_STATE", str(tmp_path / "state"))
    build = ROOT / "firmware" / "native" / "build"
    (product / "build").symlink_to(build)
    (product / "partitions.csv").write_bytes((ROOT / "partitions.csv").read_bytes())
    (product / "line" / "test_lamp.py").write_text(block("python"))
    hook = product / "hooks" / "passed"
    hook.write_text(block("sh"))
    hook.chmod(0o700)
    macs = [bytes([0x24, 0x0A, 0xC4, 0, 0, number]) for number in range(2)]
    with (
        Board(tmp_path / "l", [build], mac=macs[0]) as left,
        Board(tmp_path / "r", [build], mac=macs[1]) as right,
    ):
        slots = block("toml").replace("1-1.2", left.url).replace("1-1.3", right.url)
        (product / "fctry.toml").write_text(slots)
        commands = re.findall(r"^\$ fctry (.*)$", PAGE, re.MULTILINE)
        assert len(commands) == 12
        for command in commands:
            if "--scan" in command:
                with open_ledger("ledger.db", Station(folder=tmp_path / "state")) as ledger:
                    (device,) = ledger.find_chip(mac=macs[0].hex(":"))
                monkeypatch.setattr("sys.stdin", io.StringIO(f"{device.public['serial_number']}\n"))
            assert main(shlex.split(command)) == 0, command
    assert {path.name for path in product.glob("passed-*.json")} == {"passed-left.json", "passed-right.json"}
    assert len(list(product.glob("export/*.openhtf.json"))) == 8
