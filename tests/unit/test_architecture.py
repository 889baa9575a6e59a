"""The rooms: who may import whom (docs/architecture.md), as pyproject.toml's import contracts say it."""

from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

ROOT = Path(__file__).parents[2]


def test_imports_keep_to_the_rooms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert lint_imports(cache_dir=None) == EXIT_STATUS_SUCCESS


def test_permits_to_write_are_made_in_these_places_alone() -> None:
    """Nothing is written without one; each of these has compared the device's own partition table before."""
    package = ROOT / "host" / "fctry"
    makers = [path.name for path in package.rglob("*.py") if "Permit(" in path.read_text(encoding="utf-8")]
    assert sorted(makers) == ["app.py", "device.py", "partition.py"]
