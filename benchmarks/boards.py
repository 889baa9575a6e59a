"""Simulated boards in a process of their own: `python -m benchmarks.boards FOLDER FIRST COUNT [FAULT…]`.

Their flash holds the native application and its table. It prints a port a line, then `ready`, and ends with its input.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from fctry.boards import Board, NorFlash, parse_fault
from fctry.partitions.flasher_args import read_flasher_args

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "firmware" / "native" / "build"
FLASH_BYTES = 2 << 20


def made(folder: Path, number: int, faults: Sequence[str] = ()) -> Board:
    """A board with the application, and MAC address and flash of its own."""
    template, flash = folder / "template.bin", folder / f"{number}.bin"
    if not template.exists():
        blank = NorFlash(template, FLASH_BYTES)
        for address, data in read_flasher_args(BUILD).writes():
            blank.program(address, data)
        blank.close()
    shutil.copy(template, flash)
    mac = bytes.fromhex(f"240ac4{number:06x}")
    return Board(
        flash, [BUILD], flash_size_bytes=FLASH_BYTES, mac=mac, faults=[parse_fault(text) for text in faults]
    )


@contextmanager
def served(folder: Path, count: int, *faults: str, first: int = 0) -> Iterator[list[str]]:
    """The ports of so many boards, in another process; their numbers begin with `first`."""
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "benchmarks.boards", str(folder), str(first), str(count), *faults]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        urls = []
        while (line := process.stdout.readline().strip()) != "ready":
            assert line, "the boards did not start"
            urls.append(line)
        yield urls
        process.communicate()


def main() -> None:
    folder, first, count, faults = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
    with ExitStack() as stack:
        for number in range(first, first + count):
            print(stack.enter_context(made(folder, number, faults)).url)
        print("ready", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
