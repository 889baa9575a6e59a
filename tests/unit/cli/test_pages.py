"""README and docs, line by line: commands are run, code is executed, settings and specs are read.

What needs a board is parsed as far as its options go. docs/testing.md and provisioning.md have tests of their own in
tests/boards.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from rich_click import Context

from fctry.cli.main import Group, main, root
from fctry.settings import find_settings

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[3]
PAGES = {path.stem: path for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))}
NEEDS_A_BOARD = ("board", "demo", "esptool", "flash", "provision")
COMMAND = re.compile(r"^ *\$ (fctry .*)$", re.MULTILINE)
FEWER = {"1000": "10", "1010": "20"}  # devices: what they are to show takes no thousand
ELSEWHERE = ("testing", "provisioning")
LAST = {"commands": 1, "factory-spec": 0, "firmware": 2, "first-device": 4, "identities": 15, "layouts": 4}
"""How many commands there are to run at least, so that none is lost to another way of writing them."""


def blocks(page: str, language: str) -> list[str]:
    pattern = rf"^( *)```{language}\n(.*?)^\1```"
    return [text for _, text in re.findall(pattern, PAGES[page].read_text(), re.MULTILINE | re.DOTALL)]


@pytest.fixture(autouse=True)
def product(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with the files that the pages speak of."""
    folder = tmp_path / "product"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("FCTRY_STATE", str(tmp_path / "state"))
    for name in ("partitions.csv", "sdkconfig.defaults", "examples/device.csv"):
        shutil.copy(ROOT / name, ".")
    shutil.copy("device.csv", "config.csv")
    Path("values.csv").write_text("id,serial_number\nA1,1\nA2,2\n")
    assert main(["image", "build", "device.csv", "-o", "device.bin"]) == 0
    return folder


@pytest.mark.parametrize("page", [page for page in PAGES if page not in ELSEWHERE])
def test_every_command_of_the_page_works(page: str, product: Path) -> None:
    ran = 0
    if page == "sdks":
        write_certificates()
    for line in COMMAND.findall(PAGES[page].read_text()):
        words = [FEWER.get(word, word) for word in shlex.split(line, comments=True)]
        if words[1] in NEEDS_A_BOARD:
            parse(words[1:])
        elif "|" in words:
            path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
            subprocess.run(
                ["bash", "-o", "pipefail", "-c", line], env={**os.environ, "PATH": path}, check=True
            )
        else:
            assert main(words[1:]) == 0, line
        ran += 1
    assert ran >= LAST.get(page, 0)
    if page == "identities":
        assert len(list(Path("images").glob("*.bin"))) == 20
        assert Path("labels.pdf").read_bytes().startswith(b"%PDF")


def parse(words: list[str]) -> None:
    command = root()
    while isinstance(command, Group):
        _, command, words = command.resolve_command(Context(command), words)
    command.make_context(command.name, words)


def write_certificates() -> None:
    """What a cloud account or an attestation authority gives."""
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=Lamp"]
    for name in ("ca", "pai"):
        files = ["-keyout", f"{name}.key", "-out", f"{name}.pem"]
        subprocess.run(["openssl", "req", "-x509", *curve, *files], check=True, capture_output=True)
    for name in ("pai.der", "cd.der"):
        Path(name).write_bytes(b"DER")


@pytest.mark.parametrize("page", PAGES)
def test_no_command_of_a_page_is_written_so_that_it_is_not_run(page: str) -> None:
    code = re.findall(r"^ *```\w*\n(.*?)^ *```", PAGES[page].read_text(), re.MULTILINE | re.DOTALL)
    lost = [line for block in code for line in block.splitlines() if re.match(r" *(\S*/)?fctry [a-z]", line)]
    assert lost == []


def test_table_of_the_readme_is_without_findings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = blocks("README", "")[0]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(table.encode())))
    capsys.readouterr()
    assert main(["layout", "check", "--strict", "-"]) == 0
    assert capsys.readouterr().out.endswith("4 partitions, no findings\n")


def test_readme_is_one_screen() -> None:
    assert len(PAGES["README"].read_text().splitlines()) <= 50


@pytest.mark.parametrize(
    ("page", "code"),
    [(page, code) for page in PAGES if page not in ELSEWHERE for code in blocks(page, "python")],
    ids=lambda value: value.splitlines()[0],
)
def test_code_of_a_page_runs(page: str, code: str) -> None:
    Path("firmware").symlink_to(ROOT / "firmware")
    exec(compile(code, PAGES[page], "exec"), {})


@pytest.mark.parametrize(
    ("page", "text"),
    [(page, text) for page in PAGES for text in blocks(page, "toml")],
    ids=lambda value: value.splitlines()[0],
)
def test_settings_and_specs_of_a_page_are_read(page: str, text: str, product: Path) -> None:
    keys = tomllib.loads(text)
    if "product" in keys:
        Path("factory.toml").write_text(text)
        assert main(["spec", "show", "factory.toml"]) == 0
    else:
        Path("fctry.toml").write_text(text)
        settings = find_settings(folder=product)
        assert settings.secret_namespaces == tuple(keys.get("secret-namespaces", ["secrets"]))
        assert settings.slots == keys.get("slots", {})


def test_commands_page_has_every_command() -> None:
    text = PAGES["commands"].read_text()
    for name in root().commands:
        assert re.search(rf"`(fctry )?{name}\b", text), name
