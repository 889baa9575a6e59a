"""The binary partition table as CSV on stdout, for `pytest --part-tool FILE`: run as `python FILE table.bin`.

pytest-embedded runs the script with its own Python and takes one line of six fields for each partition. ESP-IDF's
gen_esp32part.py, its default, exists only where ESP-IDF is installed.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fctry.errors import FctryError
from fctry.files import read_file
from fctry.partitions.binary import unpack
from fctry.partitions.csv import format_csv


def main(argv: list[str]) -> int:
    if len(argv) != 1:
        print(f"usage: {Path(__file__).name} TABLE.BIN", file=sys.stderr)
        return 2
    try:
        sys.stdout.write(format_csv(unpack(read_file(Path(argv[0])))))
    except FctryError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
