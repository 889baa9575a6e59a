"""Compare the native port's NVS with Espressif's nvs_flash, for whoever has ESP-IDF.

    idf.py --preview set-target linux build       # in firmware/native/nvs_script
    make -C firmware/native
    python tests/conformance/compare_nvs_flash.py firmware/native/nvs_script/build/nvs_script.elf

Both run the same program on flash files of the same content. For every seed, a damaged image is mounted, listed, read
key by key and unmounted, once with the partition flagged `readonly` and once without; and random series of writes are
carried out. Printed are the seeds whose answers differ, and those whose flash differs afterwards. Exit 1 if there are
any.

`--record FILE` writes digests of what nvs_flash did, which the tests compare the native port with where there is no
ESP-IDF.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests" / "unit" / "firmware"), str(Path(__file__).parent)]

from nvs_damage import BLANK, FLASH_BYTES, base_images, damaged, flash_of, keys_of, reads, writes  # noqa: E402
from nvs_script import Answer, NvsScript, ProgramEndedError  # noqa: E402

NATIVE = ROOT / "firmware" / "native" / "build" / "nvs_script"
WRITES_PER_SERIES = 300


@dataclass(frozen=True)
class Case:
    """A flash to begin with, and what to ask of it."""

    label: str
    flash: bytes
    commands: list[str]


@dataclass(frozen=True)
class Outcome:
    """What a program answered, or how it ended; and the flash afterwards."""

    answers: list[Answer] | str
    flash: bytes

    def digest(self) -> str:
        """For a recording."""
        answers = self.answers if isinstance(self.answers, str) else [(x.lines, x.code) for x in self.answers]
        return hashlib.sha256(repr(answers).encode() + self.flash).hexdigest()[:16]


class Side:
    """One of the two programs, with a flash file of its own."""

    def __init__(self, program: Path, folder: Path, name: str) -> None:
        self._program = program
        self._path = folder / name
        self._path.write_bytes(b"\xff" * FLASH_BYTES)
        self._script: NvsScript | None = None

    def run(self, case: Case) -> Outcome:
        """Put the case's flash into the file, in place (the program has it mapped), and run its commands."""
        with self._path.open("r+b") as file:
            file.write(case.flash)
        if self._script is None:
            self._script = NvsScript(self._program, self._path)
        try:
            answers: list[Answer] | str = self._script.run(case.commands)
        except ProgramEndedError as end:
            self.restart()
            answers = str(end)
        return Outcome(answers, self._path.read_bytes())

    def restart(self) -> None:
        """End the program: the next run starts another, which reads the partition table anew."""
        if self._script is not None:
            self._script.__exit__()
            self._script = None


class Cases:
    """All cases. `native`, the native port's nvs_script, makes the images of used and interrupted partitions."""

    def __init__(self, native: Path, folder: Path) -> None:
        self._bases = base_images(native, folder)
        side = Side(native, folder, "keys.bin")
        self._keys = {}
        for base, image in self._bases.items():
            listing = Case(
                base, flash_of(image, readonly=False), ["mount fctry", "list fctry", "unmount fctry"]
            )
            self._keys[base] = keys_of(side.run(listing).answers)
        side.restart()

    def damaged(self, seeds: range, *, readonly: bool) -> Iterator[Case]:
        """The undamaged images, and a damaged one for each seed."""
        undamaged = ((f"undamaged, {base}", image) for base, image in self._bases.items())
        for label, image in (*undamaged, *(damaged(seed, self._bases) for seed in seeds)):
            keys = self._keys[label.split(", ")[1]] or [("fctryNamespace", "mac_addr", "str")]
            yield Case(label, flash_of(image, readonly=readonly), reads(keys))

    @staticmethod
    def series(count: int) -> Iterator[Case]:
        """Random series of writes."""
        for seed in range(count):
            commands = list(writes(random.Random(seed), WRITES_PER_SERIES))
            yield Case(f"series {seed}", flash_of(BLANK, readonly=False), commands)


@dataclass
class Comparison:
    """What was found."""

    compared: int = 0
    answers_differ: list[str] = field(default_factory=list)
    flash_differs: list[str] = field(default_factory=list)

    def add(self, case: Case, native: Outcome, idf: Outcome, *, readonly: bool) -> None:
        """Compare two outcomes, and print a difference."""
        self.compared += 1
        if native.answers != idf.answers:
            self.answers_differ.append(case.label)
            print(
                f"answers differ: {case.label}{_first_difference(case.commands, native.answers, idf.answers)}"
            )
        if native.flash != idf.flash or (readonly and native.flash != case.flash):
            self.flash_differs.append(case.label)
            print(f"flash differs: {case.label}")


def _first_difference(commands: list[str], ours: list[Answer] | str, theirs: list[Answer] | str) -> str:
    if isinstance(ours, str) or isinstance(theirs, str):
        mine, other = (x if isinstance(x, str) else "went on" for x in (ours, theirs))
        return f"\n    native: {mine}\n    nvs_flash: {other}"
    for command, our, their in zip(commands, ours, theirs, strict=True):
        if our != their:
            pairs = zip_longest([*our.lines, our.code], [*their.lines, their.code], fillvalue="nothing")
            mine, other = next(pair for pair in pairs if pair[0] != pair[1])
            return f"\n    {command[:60]}\n    native:    {mine[:100]}\n    nvs_flash: {other[:100]}"
    return ""


def _compare(title: str, cases: Iterator[Case], native: Side, idf: Side, *, readonly: bool) -> Comparison:
    """Run both on all cases.

    A difference counts if it is there the second time too: on a busy machine the tick of ESP-IDF's linux target, a
    signal, now and then cuts what it prints.
    """
    found = Comparison()
    for case in cases:
        outcomes = native.run(case), idf.run(case)
        if outcomes[0] != outcomes[1]:
            outcomes = native.run(case), idf.run(case)
        found.add(case, *outcomes, readonly=readonly)
    native.restart()
    idf.restart()
    print(
        f"{title}: {found.compared} compared, {len(found.answers_differ)} answers differ, "
        f"{len(found.flash_differs)} leave another flash"
    )
    return found


def compare(native: Path, idf: Path, seeds: range, series: int) -> bool:
    """Whether both did the same in all cases."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cases = Cases(native, folder)
        sides = Side(native, folder, "native.bin"), Side(idf, folder, "idf.bin")
        found = [
            _compare("damaged, readonly", cases.damaged(seeds, readonly=True), *sides, readonly=True),
            _compare("damaged, writable", cases.damaged(seeds, readonly=False), *sides, readonly=False),
            _compare("series of writes", cases.series(series), *sides, readonly=False),
        ]
    return not any(part.answers_differ or part.flash_differs for part in found)


def digests(program: Path, native: Path, folder: Path, seeds: range, series: int) -> dict[str, str]:
    """What `program` did in each case, by label."""
    cases = Cases(native, folder)
    side = Side(program, folder, "digests.bin")
    found = {}
    for readonly in (True, False):
        for case in cases.damaged(seeds, readonly=readonly):
            found[f"{'readonly' if readonly else 'writable'}, {case.label}"] = side.run(case).digest()
        side.restart()
    for case in cases.series(series):
        found[case.label] = side.run(case).digest()
    side.restart()
    return found


def record(native: Path, idf: Path, seeds: range, series: int, file: Path) -> None:
    """Write digests of what nvs_flash did, in two runs that must agree: see _compare."""
    with tempfile.TemporaryDirectory() as name:
        found, again = (digests(idf, native, Path(name), seeds, series) for _ in range(2))
    if found != again:
        raise SystemExit(f"two runs differ in {[label for label in found if found[label] != again[label]]}")
    recording = {"seeds": [seeds.start, seeds.stop], "series": series, "digests": found}
    file.write_text(json.dumps(recording, indent=0) + "\n")


def main() -> int:
    """Parse the command line and compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("idf", type=Path, help="nvs_script.elf as ESP-IDF builds it for its linux target")
    parser.add_argument("--native", type=Path, default=NATIVE, help="nvs_script of firmware/native")
    parser.add_argument("--seeds", type=int, default=2000, help="damaged images (default: %(default)s)")
    parser.add_argument("--first", type=int, default=0, help="first seed (default: %(default)s)")
    parser.add_argument("--series", type=int, default=100, help="series of writes (default: %(default)s)")
    parser.add_argument("--record", type=Path, metavar="FILE", help="record nvs_flash instead of comparing")
    arguments = parser.parse_args()
    seeds = range(arguments.first, arguments.first + arguments.seeds)
    if arguments.record:
        record(arguments.native, arguments.idf, seeds, arguments.series, arguments.record)
        return 0
    return 0 if compare(arguments.native, arguments.idf, seeds, arguments.series) else 1


if __name__ == "__main__":
    sys.exit(main())
