"""The rooms: who may import whom (docs/architecture.md), as pyproject.toml's import contracts say it."""

from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

ROOT = Path(__file__).parents[2]


def test_imports_keep_to_the_rooms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert lint_imports(cache_dir=None) == EXIT_STATUS_SUCCESS


def test_flash_is_written_in_these_places_alone() -> None:
    """A partition is written through `open_partition`, which checks the device's own table; others write the table."""
    package = ROOT / "host" / "fctry"
    writers = [
        path.name for path in package.rglob("*.py") if "chip.write(" in path.read_text(encoding="utf-8")
    ]
    assert sorted(writers) == ["app.py", "device.py", "partition.py"]
