"""The fixtures that tests use: a project, its layout, and devices."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fctry.pytest_plugin.device import FactoryDevice

if TYPE_CHECKING:
    from fctry.partitions.table import Partition, PartitionTable
    from fctry.project import Project, Settings

SAID = ("partition", "chip", "sdkconfig", "table_offset", "flash_size_bytes")
"""Options that say what the project's files would say."""


def settings_of(config: pytest.Config) -> Settings:
    """The settings of the project around the tests that were asked for; `--app-path` may have moved pytest's root."""
    from fctry.settings import find_settings

    path = config.invocation_params.dir / (config.args or ["."])[0].split("::")[0]
    folder = path if path.is_dir() else path.parent
    settings = find_settings(config.getoption("fctry_partitions"), folder=folder)
    said = {name: value for name in SAID if (value := config.getoption(f"fctry_{name}")) is not None}
    return dataclasses.replace(settings, **said)


def pytest_report_header(config: pytest.Config) -> str | None:
    if not config.option.fctry_board:
        return None
    from fctry.errors import FctryError

    with contextlib.suppress(FctryError):  # the fixtures say it
        layout = settings_of(config).partitions
        if layout.is_file():
            return f"layout of the devices: {layout}"
    return None


@pytest.fixture(scope="session")
def factory_project(pytestconfig: pytest.Config) -> Project:
    """The project whose devices are tested: its table, and the sdkconfig beside it, or what the options say."""
    from fctry.project import open_project

    return open_project(settings_of(pytestconfig), variables=os.environ)


@pytest.fixture(scope="session")
def partition_table(factory_project: Project) -> PartitionTable:
    """The layout of the devices under test."""
    return factory_project.table


@pytest.fixture(scope="session")
def factory_partition(factory_project: Project) -> Partition:
    """The factory partition of that layout."""
    return factory_project.factory_partition


@pytest.fixture(scope="session")
def preloaded_factory_image() -> bytes | None:
    """What the factory partition holds from the start, of a device that cannot be flashed while it runs.

    To be overridden by a conftest.py that puts it there, as for pytest-embedded's service `qemu`.
    """
    return None


@pytest.fixture
def fctry_services(embedded_services: str | None) -> None:
    """That a device is there to be tested: pytest-embedded without a service gives a `dut` without a device."""
    if not embedded_services:
        pytest.fail(
            "no board was chosen: `pytest --board native` (a simulated one; or linux, qemu, usb), or services of "
            "pytest-embedded's (`--embedded-services esp,idf`)",
            pytrace=False,
        )


@pytest.fixture
def factory_device(
    fctry_services: None,
    factory_project: Project,
    dut: Any,
    msg_queue: Any,
    preloaded_factory_image: bytes | None,
) -> Iterator[FactoryDevice]:
    """The device under test: pytest-embedded's `dut` (of several the first), flashed with its application."""
    if isinstance(dut, Sequence):
        dut, msg_queue = dut[0], msg_queue[0]
    device = _device(dut, msg_queue, factory_project, preloaded_factory_image)
    yield device
    device.restore()


@pytest.fixture
def factory_devices(
    fctry_services: None, factory_project: Project, dut: Any, msg_queue: Any
) -> Iterator[list[FactoryDevice]]:
    """The devices under test, as many as pytest-embedded's `count` says, an option or a parameter of the test."""
    if not isinstance(dut, Sequence):
        dut, msg_queue = [dut], [msg_queue]
    devices = [_device(each, queue, factory_project) for each, queue in zip(dut, msg_queue, strict=True)]
    yield devices
    for device in devices:
        device.restore()


def _device(dut: Any, queue: Any, project: Project, preloaded: bytes | None = None) -> FactoryDevice:
    # what the device says is read from a file, which is always ready: pexpect would look 10,000 times a second
    dut.pexpect_proc.delayafterread = 0.005
    return FactoryDevice(
        dut,
        queue,
        Path(dut.logfile),
        project.table,
        project.factory_partition,
        preloaded,
        secret_namespaces=project.settings.secret_namespaces,
    )
