"""The command line as a whole."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import pytest
from click.shell_completion import FishComplete
from click.types import FuncParamType
from rich_click import Context

from fctry import cli
from fctry.cli import image, layout
from fctry.cli import main as main_module
from fctry.cli.arguments import Arguments, Option
from fctry.cli.arguments import path as file_or_folder
from fctry.cli.image import show
from fctry.cli.main import Group, main, root
from fctry.errors import InputError
from fctry.nvs import Item, ItemType, encode
from fctry.partitions.binary import pack
from fctry.partitions.table import Partition, PartitionTable


def names_of(group: ModuleType) -> list[str]:
    return [name for lines in group.COMMANDS.values() for name in lines]


COMMANDS = names_of(cli)


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(heading in out for heading in cli.COMMANDS)
    assert all(name in out for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command_says_what_it_does(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0
    assert len(capsys.readouterr().out.splitlines()) > 5


@pytest.mark.parametrize(
    ("group", "name"), [(group, name) for group in (image, layout) for name in names_of(group)]
)
def test_help_of_an_action_says_what_it_does_and_takes(
    group: ModuleType, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([group.__name__.rpartition(".")[2], name, "--help"]) == 0
    out = capsys.readouterr().out
    said = " ".join(sys.modules[f"{group.__name__}.{name}"].__doc__.split(".")[0].split())
    assert said in " ".join(out.split())
    assert " Options " in out


def every_command(group: Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name in group.commands:
        yield (*path, name)
        _, command, _ = group.resolve_command(Context(group), [name])
        if isinstance(command, Group):
            yield from every_command(command, (*path, name))


@pytest.mark.parametrize("path", [(), *every_command(root())], ids=" ".join)
def test_help_ends_with_an_example_that_can_be_run(path: tuple[str, ...]) -> None:
    """As far as its options are those of the command: it is parsed."""
    command, context = root(), None
    for name in path:
        _, command, _ = command.resolve_command(Context(command), [name])
    examples = [line[2:] for line in command.epilog.splitlines() if line.startswith("$ fctry ")]
    assert examples
    for example in examples:
        assert f"fctry {' '.join(path)}" in example or path in ((), ("demo",), ("completion",))
        command, words = root(), shlex.split(example.partition(" > ")[0])[1:]
        while isinstance(command, Group):
            _, command, words = command.resolve_command(Context(command), words)
        context = command.make_context(command.name, words)
        assert not context.args


@pytest.mark.parametrize("path", [*every_command(root())], ids=" ".join)
def test_help_says_what_every_argument_and_option_is_and_calls_files_alike(path: tuple[str, ...]) -> None:
    command = root()
    for name in path:
        _, command, _ = command.resolve_command(Context(command), [name])
    for one in command.params:
        if path != ("esptool",):
            assert one.help
            assert not one.help.endswith(".")
        if (
            isinstance(one, Option)
            and isinstance(one.type, FuncParamType)
            and one.type.func is file_or_folder
        ):
            assert one.metavar in ("FILE", "FOLDER", "FOLDER|ZIP")
        if one.name == "port" and path != ("board",):
            assert one.metavar == "PORT"
            assert "-p" in one.opts


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        ("imag", "image"),
        ("image shwo x.bin", "show"),
        ("image show --ful x.bin", "--full"),
        ("help flsh", "flash"),
    ],
)
def test_slip_is_answered_with_what_was_meant(
    arguments: str, meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments.split()) == 2
    assert f"Did you mean '{meant}'?\nhint: fctry" in capsys.readouterr().err


def test_bare_command_and_bare_group_list_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, name in (([], "layout"), (["layout"], "check")):
        assert main(arguments) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert f"│ {name} " in captured.err


@pytest.mark.parametrize("arguments", ["-h", "help", "--help"])
def test_help_is_had_in_every_usual_way(arguments: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([arguments]) == 0
    assert "Usage: fctry [OPTIONS] COMMAND" in capsys.readouterr().out


def test_help_of_a_command_is_that_of_its_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["help", "layout", "check"]) == main(["layout", "check", "--help"]) == 0
    both = capsys.readouterr().out
    assert both[: len(both) // 2] == both[len(both) // 2 :]


def test_bash_completes_commands_and_options_and_leaves_files_to_itself() -> None:
    script = """
    eval "$(fctry completion bash)"
    compopt() { echo files: "$@"; }
    for line in "fctry layo" "fctry image show --sec" "fctry image show "; do
        IFS=' ' read -ra COMP_WORDS <<< "$line"
        [ "${line: -1}" = " " ] && COMP_WORDS+=("")
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMPREPLY=()
        _fctry_completion fctry
        echo "${COMPREPLY[*]}"
    done
    """
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script], env={**os.environ, "PATH": path}, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["layout", "--secrets", "files: -o default", ""]


@pytest.mark.skipif(not shutil.which("fish"), reason="fish is not installed")
@pytest.mark.skipif(
    'string split ","' not in FishComplete.source_template, reason="this click separates by something else"
)
def test_fish_shows_all_of_a_description(tmp_path: Path) -> None:
    script = (
        "function env; echo 'plain,--chip\tof a table, or of a dump'; end; fctry completion fish | source; "
    )
    command = ["fish", "--no-config", "--command", script + "_fctry_completion"]
    said = os.environ | {"HOME": str(tmp_path), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(command, env=said, capture_output=True, text=True, check=False)
    assert done.stdout == "--chip\tof a table, or of a dump\n", done.stderr


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_get_their_own_completion(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    assert f"_FCTRY_COMPLETE={shell}_complete" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["image"], ["flash"], ["layout", "image"]])
def test_wrong_usage_exits_with_2(arguments: list[str]) -> None:
    assert main(arguments) == 2


def test_version_is_the_package_s(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == main(["-V"]) == 0
    assert capsys.readouterr().out == 2 * f"fctry {version('fctry')}\n"


def test_error_is_text_with_a_hint_and_a_bug_is_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_: Arguments) -> NoReturn:
        raise InputError("no such key", file="a.csv", line=3, hint="write it down")

    monkeypatch.setattr(show, "run", refuse)
    assert main(["image", "show", "a.bin"]) == 1
    assert capsys.readouterr().err == "error: a.csv:3: no such key\nhint: write it down\n"

    def crash(_: Arguments) -> NoReturn:
        raise ZeroDivisionError

    monkeypatch.setattr(show, "run", crash)
    with pytest.raises(ZeroDivisionError):
        main(["image", "show", "a.bin"])


def test_command_imports_only_its_own_room() -> None:
    code = (
        "import sys; from fctry.cli.main import main; main(['image', 'show', 'x']);"
        "print([name for name in ('esptool', 'serial', 'crcmod', 'cryptography') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_interruption_at_any_moment_ends_in_130_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    for module, name in ((show, "run"), (main_module, "import_module")):
        with monkeypatch.context() as patched:
            patched.setattr(module, name, interrupt)
            assert main(["image", "show", "x.bin"]) == 130
    assert capsys.readouterr().err == ""


def test_interruption_while_the_program_starts_ends_in_130_without_a_traceback() -> None:
    code = (
        "import os, signal, sys; sys.argv = ['fctry', 'image', 'show', 'x']; from fctry.cli import entry;"
        "sys.addaudithook(lambda event, args: event == 'import' and args[0] == 'fctry.cli.main'"
        " and os.kill(os.getpid(), signal.SIGINT)); sys.exit(entry.main())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (130, b"")


def test_program_whose_outputs_are_closed_works(tmp_path: Path) -> None:
    (tmp_path / "partitions.csv").write_text("nvs,data,nvs,,0x6000\n")
    command = f"{sys.executable} -m fctry layout check partitions.csv >&- 2>&-"
    assert subprocess.run(["sh", "-c", command], cwd=tmp_path, check=False).returncode == 1


def test_output_that_has_no_room_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "image.bin"
    path.write_bytes(b"\xff" * 0x3000)
    for arguments in (["image", "show", path], ["image", "csv", path]):
        command = [sys.executable, "-m", "fctry", *arguments]
        with Path("/dev/full").open("wb") as full:
            done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        assert done.returncode == 1
        assert done.stderr == "error: cannot write the output: No space left on device\n"


ESCAPE = "\x1b[31m\u202e"


def test_no_escape_of_an_input_reaches_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    item = Item(f"n{ESCAPE}", f"k{ESCAPE}", ItemType.STR, f"v{ESCAPE}")
    Path("image.bin").write_bytes(encode([item], 0x3000))
    Path("damaged.bin").write_bytes(encode([item], 0x3000).replace(b"v\x1b", b"w\x1b"))
    Path("device.csv").write_text(
        f"key,type,encoding,value\nn{ESCAPE},namespace,,\nk{ESCAPE},data,string,1\n{ESCAPE}x,y{ESCAPE},z,1\n"
    )
    Path("ns.csv").write_text(f"key,type,encoding,value\nn{ESCAPE},namespace,,\nk{ESCAPE},data,string,1\n")
    Path("table.csv").write_text(
        f"a{ESCAPE},data,nvs,0x9000,0x3000\nb{ESCAPE},dat{ESCAPE},nvs,0xc000,0x3000\n"
    )
    Path("table.bin").write_bytes(pack(PartitionTable((Partition("a\x1b[31m", 1, 2, 0x9000, 0x3000),))))
    for arguments in (
        "image show image.bin",
        "image show --full --erased damaged.bin",
        "image check damaged.bin",
        "image csv damaged.bin -o back.csv",
        "image diff image.bin damaged.bin",
        "image build device.csv -o x.bin --size 24K",
        "image capacity device.csv",
        "image capacity ns.csv",
        "layout check table.csv",
        "layout show table.csv",
        "layout build table.csv -o t.bin",
        "layout check table.bin",
        "layout show table.bin",
        "layout read table.bin",
    ):
        main(arguments.split())
        captured = capsys.readouterr()
        assert not {"\x1b", "\u202e"} & {*captured.out, *captured.err}, arguments


def test_reader_that_stops_early_gets_no_traceback(tmp_path: Path) -> None:
    path = tmp_path / "image.bin"
    path.write_bytes(b"\xff" * 0x3000)
    command = [sys.executable, "-m", "fctry", "image", "show", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 128 + signal.SIGPIPE
