"""requirements/ pins all that pyproject.toml names, to versions that it allows. `make lock` makes them anew."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
NAMED = [
    requirement
    for group in (PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())
    for requirement in map(Requirement, group)
    if requirement.name != PROJECT["name"]
]


def pins_of(name: str) -> dict[str, set[str]]:
    """Versions by package: several where Pythons differ."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    assert "://" not in text  # of no registry in particular
    pins: dict[str, set[str]] = {}
    for pin in map(Requirement, text.splitlines()):
        (exact,) = pin.specifier
        assert exact.operator == "=="
        pins.setdefault(canonicalize_name(pin.name), set()).add(exact.version)
    return pins


@pytest.mark.parametrize("name", ["newest", "oldest"])
def test_every_dependency_is_pinned_to_a_version_that_is_allowed(name: str) -> None:
    pins = pins_of(name)
    for wanted in NAMED:
        versions = pins[canonicalize_name(wanted.name)]
        assert all(wanted.specifier.contains(version, prereleases=True) for version in versions), wanted


def test_oldest_versions_that_are_allowed_are_those_that_are_tested() -> None:
    pins = pins_of("oldest")
    for wanted in NAMED:
        (lowest,) = (Version(one.version) for one in wanted.specifier if one.operator in (">=", "=="))
        assert set(map(Version, pins[canonicalize_name(wanted.name)])) == {lowest}, wanted
