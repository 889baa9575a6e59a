"""Make the pictures of terminals, each of a real run: `python docs/terminal.py`."""

import os
import pty
import re
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.text import Text

from fctry.boards import Board, parse_fault

ROOT = Path(__file__).parents[1]
PICTURES = Path(__file__).parent / "pictures"
COLUMNS = 108
RETRY = "[4/5]"


def run_in_terminal(command: list[str], folder: Path = ROOT, *, code: int = 0) -> str:
    """What a program that ends with this exit code prints to a terminal, with its colours."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(COLUMNS), "LINES": "60"}
    environment["FCTRY_STATE"] = str(folder / "state")
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, env=environment, cwd=folder) as process:
        os.close(theirs)
        printed = b""
        while True:
            try:
                part = os.read(ours, 1 << 16)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            printed += part
    os.close(ours)
    if process.returncode != code:
        sys.exit(printed.decode())
    return printed.decode().replace("\r\n", "\n")


def screen(printed: str) -> list[str]:
    """The lines that are left on the screen: rich goes up and erases what it shows anew."""
    lines, row = [""], 0
    for part in re.findall(
        r"\x1b\[\d*[AK]|\x1b\[\?25[lh]|\r|\n|(?:(?!\x1b\[\d*[AK]|\x1b\[\?25)[^\r\n])+", printed
    ):
        if part.endswith("A"):
            row -= 1
        elif part.endswith("K"):
            lines[row] = ""
        elif part == "\n":
            row += 1
            lines += [""] * (row == len(lines))
        elif part != "\r" and not part.startswith("\x1b[?"):
            lines[row] += part
    return lines


def picture(name: str, command: str, lines: list[str]) -> None:
    """Write the lines as a picture that loads nothing from elsewhere."""
    console = Console(record=True, width=COLUMNS, file=Path(os.devnull).open("w"), force_terminal=True)  # noqa: SIM115
    console.print(Text(f"$ {command}", "bold"))
    for line in lines:
        whole = Text.from_ansi(line)
        for part in whole.divide(range(COLUMNS, len(whole), COLUMNS)):  # as a terminal wraps
            console.print(part, soft_wrap=True)
    svg = console.export_svg(title=command, unique_id=name)
    svg = re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    text = "\n".join(line.rstrip() for line in svg.splitlines()) + "\n"
    (PICTURES / f"{name}.svg").write_text(text, encoding="utf-8")


def provisioning() -> None:
    """Three slots of a fixture, one of which has a board that does not start."""
    build, slots = ROOT / "firmware" / "native" / "build", ("left", "middle", "right")
    with tempfile.TemporaryDirectory() as made, ExitStack() as stack:
        folder, urls = Path(made), []
        for number, name in enumerate(slots):
            faults = [parse_fault("boot-loop start=2")] if name == "middle" else []
            mac = bytes([0x24, 0x0A, 0xC4, 0x01, 0x02, number])
            urls.append(stack.enter_context(Board(folder / name, [build], mac=mac, faults=faults)).url)
        listed = ", ".join(f'{name} = "{url}"' for name, url in zip(slots, urls, strict=True))
        (folder / "fctry.toml").write_text(f"slots = {{ {listed} }}\n")
        (folder / "build").symlink_to(build)
        for source in (ROOT / "partitions.csv", ROOT / "examples" / "factory.toml"):
            (folder / source.name).write_bytes(source.read_bytes())
        fctry = [sys.executable, "-m", "fctry"]
        run_in_terminal([*fctry, "ledger", "create"], folder)
        said = "provision factory.toml --app build --lot 2026-11 --records records"
        lines = screen(run_in_terminal([*fctry, *said.split()], folder, code=1))
    picture("provision", f"fctry {said}", lines)


def main() -> None:
    provisioning()
    lines = screen(run_in_terminal([sys.executable, "-m", "fctry", "demo"]))
    again, refused = (
        next(n for n, line in enumerate(lines) if line.startswith(step)) for step in ("[4/5]", "[5/5]")
    )
    picture(
        "demo", "fctry demo", [*lines[: again + 1], "      …", *lines[refused:]]
    )  # a screen of it is enough


if __name__ == "__main__":
    main()
