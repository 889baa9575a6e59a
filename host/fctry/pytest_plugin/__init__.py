"""Boards and fixtures for tests of factory data on a device: for this project's suite and for anyone's.

    pytest --board native

    def test_serial_number(factory_device):
        factory_device.flash_factory(fctry.nvs.encode(items, factory_device.partition.size_bytes))
        assert factory_device.reset().values()["fctryNamespace", "serial_number"] == "164589345735"

The fixtures build on pytest-embedded, so that its `--port`, `--target`, `--app-path`, `--count` and the rest mean what
they mean there. A project that asks for no board and uses no fixture sees nothing of this plugin.
"""

from __future__ import annotations

import argparse
import importlib.util
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from fctry.pytest_plugin.device import FactoryDevice

__all__ = ["FactoryDevice"]

pytest_plugins = ["fctry.pytest_plugin.layouts"]  # partition CSVs as test files

BOARDS = {
    "native": "a simulated chip that runs the reference firmware, compiled for this machine (needs a C compiler)",
    "linux": "a simulated chip that runs the firmware as ESP-IDF builds it for its linux target",
    "qemu": "Espressif's QEMU, which runs the firmware as ESP-IDF builds it for the target",
    "usb": "a connected board",
}
EXTRA = ("pytest_embedded", "pytest_embedded_serial_esp", "pytest_embedded_idf", "pexpect")
"""What `pip install fctry[pytest]` brings, by the names of the modules."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("fctry", "factory data")
    _add_board(group, "--fctry-board")
    group.addoption(
        "--fctry-force", action="store_true", help="erase a connected board whatever application it holds"
    )
    group.addoption(
        "--fctry-partitions",
        type=Path,
        help="partition table CSV (default: that of the project around the tests)",
    )
    group.addoption("--fctry-partition", help="name of the factory partition (default: fctry)")
    group.addoption("--fctry-chip", help="esp32, esp32c3, … (default: that of the sdkconfig)")
    group.addoption("--fctry-sdkconfig", type=Path, help="sdkconfig, sdkconfig.defaults or sdkconfig.json")
    group.addoption("--fctry-table-offset", type=_size, help="of the table in flash (default: 0x8000)")
    group.addoption("--fctry-flash-size", dest="fctry_flash_size_bytes", type=_size, help="4MB, 16MB, …")


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(parser: pytest.Parser) -> Generator[None, object, object]:
    """`--board` is `--fctry-board`, unless a plugin or a conftest.py has an option of that name: now all are known."""
    done = yield
    probe = "--board=native"
    try:
        is_free = probe in parser.parse_known_and_unknown_args([probe])[1]
    except pytest.UsageError:  # it is another's, who has no such board
        is_free = False
    if is_free:
        _add_board(parser.getgroup("fctry"), "--board")
    return done


def pytest_configure(config: pytest.Config) -> None:
    option = config.option
    lacking = [name for name in EXTRA if importlib.util.find_spec(name) is None]
    is_loaded = any(map(config.pluginmanager.hasplugin, ("pytest_embedded", "pytest_embedded.plugin")))
    if lacking or not is_loaded:
        if option.fctry_board:
            raise pytest.UsageError(f"--board {option.fctry_board} {lacking_text(lacking)}")
        from fctry.pytest_plugin import without_embedded

        config.pluginmanager.register(without_embedded, "fctry_without_embedded")
        return
    if (option.port or "").startswith("rfc2217://"):
        from fctry.serialport import register

        register()  # the fast client: with pyserial's own, one test takes half a minute
    from fctry.pytest_plugin import embedded_warnings, failures, fixtures

    # now, as the last: a fixture of the same name that another plugin has stands behind these
    config.pluginmanager.register(fixtures, "fctry_fixtures")
    config.pluginmanager.register(failures, "fctry_failures")
    config.pluginmanager.register(embedded_warnings, "fctry_embedded_warnings")
    config.addinivalue_line("markers", "not_on(board, reason): a case that this board cannot run")
    if option.fctry_board:
        from fctry.pytest_plugin import boards

        boards.choose(config)
        config.pluginmanager.register(boards, "fctry_boards")


def lacking_text(modules: list[str]) -> str:
    """What to do without pytest-embedded, or without some of its modules."""
    if modules:
        return f"needs {', '.join(modules)}, which is not installed: pip install 'fctry[pytest]'"
    return "needs pytest-embedded, which is installed and not loaded: -p pytest_embedded.plugin"


def _add_board(group: Any, name: str) -> None:
    group.addoption(
        name,
        dest="fctry_board",
        choices=BOARDS,
        help="run the tests of devices on: " + "; ".join(f"{name}: {text}" for name, text in BOARDS.items()),
    )


def _size(text: str) -> int:
    from fctry.partitions.sizes import parse_size

    try:
        return parse_size(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
