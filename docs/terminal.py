"""Make pictures/demo.svg, the picture of the terminal in README.md, of a real run: `python docs/terminal.py`."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

PICTURE = Path(__file__).parent / "pictures" / "demo.svg"
COLUMNS = 108


def run_in_terminal(command: list[str]) -> str:
    """What a program prints to a terminal, with its colours."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(COLUMNS)}
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, env=environment) as process:
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
    if process.returncode:
        sys.exit(printed.decode())
    return printed.decode().replace("\r\n", "\n")


def main() -> None:
    printed = run_in_terminal([sys.executable, "-m", "fctry", "demo"])
    steps = printed.split("identify  ")  # a device's begin with it: one of them is enough
    last = printed[printed.index("[4/4]") :].rstrip()
    lines = [line for line in f"{steps[0]}identify  {steps[1]}{last}".split("\n") if "@fctry" not in line]
    console = Console(record=True, width=COLUMNS, file=Path(os.devnull).open("w"), force_terminal=True)  # noqa: SIM115
    console.print(Text("$ fctry demo", "bold"))
    for line in lines:
        console.print(Text.from_ansi(line), soft_wrap=True)
    svg = console.export_svg(title="fctry demo", unique_id="demo")
    svg = re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL)  # a picture loads nothing from elsewhere
    PICTURE.write_text("\n".join(line.rstrip() for line in svg.splitlines()) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
