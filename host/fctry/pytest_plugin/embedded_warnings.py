"""What pytest-embedded is warned of for every test, also of projects that do not use it: no warning for who tests."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Generator

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Inside of pytest's own filters, so that `-W error` does not turn these warnings into errors of each test."""
    with warnings.catch_warnings():
        if "record_xml_attribute" not in _arguments(item):
            # an experimental feature; incompatible with junit_family 'xunit2'
            warnings.filterwarnings("ignore", "record_xml_attribute is ", category=pytest.PytestWarning)
        if item.config.option.fctry_board:  # a file that it leaves open
            warnings.filterwarnings("ignore", r"(?s).*sdkconfig\.json", category=ResourceWarning)
            warnings.filterwarnings(
                "ignore", r"(?s).*sdkconfig\.json", category=pytest.PytestUnraisableExceptionWarning
            )
        return (yield)


def _arguments(item: pytest.Item) -> set[str]:
    return {*inspect.signature(item.function).parameters} if isinstance(item, pytest.Function) else set()
