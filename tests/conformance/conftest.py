"""No test here has a device."""

from __future__ import annotations

import pytest


@pytest.fixture
def parametrize_fixtures() -> None:
    """Overrides pytest-embedded's, which each test has, and with it a hundred others to be looked for."""
