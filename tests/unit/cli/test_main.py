"""The command line as a whole."""

import argparse
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import pytest

from fctry.cli import COMMANDS, image, layout
from fctry.cli.main import main
from fctry.errors import InputError


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    out = capsys.readouterr().out
    assert all(name in out for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command_says_what_it_does(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code = main([name, "--help"])  # esptool's own
    except SystemExit as end:
        code = end.code
    assert code == 0
    assert len(capsys.readouterr().out.splitlines()) > 5


@pytest.mark.parametrize(
    ("group", "name"), [(group, name) for group in (image, layout) for name in group.COMMANDS]
)
def test_help_of_an_action_says_what_it_does_and_takes(
    group: ModuleType, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main([group.__name__.rpartition(".")[2], name, "--help"])
    assert end.value.code == 0
    out = capsys.readouterr().out
    assert sys.modules[f"{group.__name__}.{name}"].__doc__.split(".")[0] in out
    assert "options:" in out


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["image"], ["flash"], ["layout", "image"]])
def test_wrong_usage_exits_with_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2


def test_version_is_the_package_s(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out.startswith("fctry ")


def test_error_is_text_with_a_hint_and_a_bug_is_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from fctry.cli.image import show

    def refuse(_: argparse.Namespace) -> NoReturn:
        raise InputError("no such key", file="a.csv", line=3, hint="write it down")

    monkeypatch.setattr(show, "run", refuse)
    assert main(["image", "show", "a.bin"]) == 1
    assert capsys.readouterr().err == "error: a.csv:3: no such key\nhint: write it down\n"

    def crash(_: argparse.Namespace) -> NoReturn:
        raise ZeroDivisionError

    monkeypatch.setattr(show, "run", crash)
    with pytest.raises(ZeroDivisionError):
        main(["image", "show", "a.bin"])


def test_command_imports_only_its_own_room() -> None:
    code = (
        "import sys; from fctry.cli.main import parser_for; parser_for(['image', 'show', 'x']);"
        "print([name for name in ('esptool', 'serial', 'crcmod', 'cryptography') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_reader_that_stops_early_gets_no_traceback(tmp_path: Path) -> None:
    path = tmp_path / "image.bin"
    path.write_bytes(b"\xff" * 0x3000)
    command = [sys.executable, "-m", "fctry.cli.main", "image", "show", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
