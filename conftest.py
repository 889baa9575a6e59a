"""This repository's own few lines for the device suite: which board where none is named, and what only it has."""

from __future__ import annotations

from pathlib import Path

import pytest

from fctry.partitions.table import Partition

ROOT = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    option = config.option
    if "qemu" in option.embedded_services:
        option.fctry_board = "qemu"
        # pytest-embedded's service leaves its process and files to the garbage collector
        config.addinivalue_line("filterwarnings", "ignore::pytest.PytestUnraisableExceptionWarning")
    elif option.fctry_board is None:
        connected = "usb" if option.target or option.port else "native"
        option.fctry_board = "linux" if option.target == "linux" else connected
    if option.fctry_board != "native" and not option.app_path:
        option.app_path = str(ROOT / "firmware")


@pytest.fixture(scope="session")
def preloaded_factory_image(pytestconfig: pytest.Config, factory_partition: Partition) -> bytes | None:
    """The image of the article, for pytest-embedded's service `qemu`."""
    if "qemu" not in pytestconfig.option.embedded_services:
        return None
    from fctry import nvs

    sheet = nvs.read_sheet(ROOT / "examples" / "device.csv")
    return nvs.make_image(sheet, factory_partition.size_bytes, read_only=factory_partition.readonly).data
