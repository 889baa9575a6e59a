"""What starting a command costs, against esptool's help and against the import of what draws the help."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from benchmarks.test_nvs import fastest

ROOT = Path(__file__).parents[1]
TURNS, TRIES = 15, 4
MOST_RATIO = 1.5


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project's table and an image, with everything compiled, as an installed package is."""
    for name in ("partitions.csv", "sdkconfig.defaults", "tests/data/nvs/article.bin"):
        shutil.copy(ROOT / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)


def python(*arguments: str) -> Callable[[], object]:
    command = [sys.executable, *arguments]
    return lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def test_help_is_faster_than_esptool_s() -> None:
    ours_s, esptool_s = fastest(
        python("-m", "fctry", "--help"), python("-m", "esptool", "--help"), turns=TURNS
    )
    print(f"\nfctry --help {ours_s * 1e3:.0f} ms, esptool --help {esptool_s * 1e3:.0f} ms")
    assert ours_s < esptool_s


@pytest.mark.parametrize("arguments", ["image check article.bin", "layout check partitions.csv"])
def test_check_takes_little_more_than_the_import_of_rich_click(arguments: str) -> None:
    ratio, tries = 2.0, 0
    while ratio > MOST_RATIO and tries < TRIES:  # a machine that others use too is not the command's fault
        check_s, import_s = fastest(
            python("-m", "fctry", *arguments.split()), python("-c", "import rich_click"), turns=TURNS
        )
        ratio, tries = check_s / import_s, tries + 1
        print(f"\nfctry {arguments}: {check_s * 1e3:.0f} ms, rich_click {import_s * 1e3:.0f} ms: {ratio:.2f}")
    assert ratio <= MOST_RATIO
