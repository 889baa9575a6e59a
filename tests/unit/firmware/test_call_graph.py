"""No circles between the C files: each stands on files that do not need it."""

from __future__ import annotations

import shutil
import subprocess
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

FIRMWARE = Path(__file__).parents[3] / "firmware"


def calls(objects: list[Path]) -> dict[str, set[str]]:
    """File -> files whose functions or data it uses, from the symbols of the objects."""
    defined: dict[str, str] = {}
    used: dict[str, set[str]] = {}
    symbols = subprocess.run(["nm", "-A", *objects], capture_output=True, text=True, check=True).stdout
    for line in symbols.splitlines():
        path, _, words = line.partition(".o:")
        *_, kind, symbol = words.split()
        if kind == "U":
            used.setdefault(Path(path).name, set()).add(symbol)
        elif kind in "TDBRC":
            defined[symbol] = Path(path).name
    return {
        name: {defined[symbol] for symbol in of_file if symbol in defined} - {name}
        for name, of_file in used.items()
    }


def objects_of(build: Path) -> list[Path]:
    """The objects of the application; of those that are left from earlier builds, only what still has a source."""
    objects = []
    for path in (build / "obj").rglob("*.o"):
        source = path.relative_to(build / "obj").with_suffix(".c")
        if "nvs_script" not in path.parts and any(
            (folder / source).is_file() for folder in (FIRMWARE, FIRMWARE / "native")
        ):
            objects.append(path)
    return objects


@pytest.mark.skipif(shutil.which("nm") is None, reason="needs nm, of binutils")
def test_files_do_not_need_each_other_in_circles(native_build: Path) -> None:
    subprocess.run(
        ["make", "--no-print-directory", "--silent", "-C", native_build.parent, "objects"], check=True
    )
    graph = calls(objects_of(native_build))
    assert "nvs_storage" in graph["nvs_storage_items"]  # the graph is there
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(reversed(error.args[1])), pytrace=False)
