"""No test is judged by the time that it takes: a busy machine fails none."""

from __future__ import annotations

import gc

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Hypothesis' plugin is loaded unless a test runs pytest without it, whose time is mostly that of its imports."""
    if config.pluginmanager.hasplugin("hypothesispytest"):
        import hypothesis

        hypothesis.settings.register_profile("fctry", deadline=None)
        hypothesis.settings.load_profile("fctry")


def pytest_collection_finish() -> None:
    """Spare the garbage collector the tests: pytest-embedded asks it five times a device who refers to what."""
    gc.collect()
    gc.freeze()
