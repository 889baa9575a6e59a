"""The fixtures where pytest-embedded is not: an error that says what to add."""

from __future__ import annotations

import importlib.util
from typing import NoReturn

import pytest

from fctry.pytest_plugin import EXTRA, lacking_text


@pytest.fixture
def factory_device() -> NoReturn:
    """An error: the extra is not installed."""
    _fail("factory_device")


@pytest.fixture
def factory_devices() -> NoReturn:
    """An error: the extra is not installed."""
    _fail("factory_devices")


def _fail(fixture: str) -> NoReturn:
    lacking = [name for name in EXTRA if importlib.util.find_spec(name) is None]
    pytest.fail(f"the fixture {fixture} {lacking_text(lacking)}", pytrace=False)
