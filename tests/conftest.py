"""No test is judged by the time that it takes: a busy machine fails none."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.disk import hurry
from tests.pytest_server import RunPytest, serve
from tests.schema import remember_schema

if TYPE_CHECKING:
    from fctry.project import Project

NVS_ENCRYPTION = {"CONFIG_NVS_ENCRYPTION": "1", "CONFIG_FACTORY_DATA_ENCRYPTED": "1"}


def pytest_configure(config: pytest.Config) -> None:
    """Hypothesis' plugin is loaded unless a test runs pytest without it, whose time is mostly that of its imports."""
    gc.disable()  # what is collected stays
    if config.pluginmanager.hasplugin("hypothesispytest"):
        import hypothesis

        hypothesis.settings.register_profile("fctry", deadline=None)
        hypothesis.settings.load_profile("fctry")


def pytest_collection_finish() -> None:
    line = sys.modules.get("fctry.provision.line")
    if line:  # whichever test is the first to fork a process decides what all those have that come after
        from fctry.pytest_plugin import boards

        modules = [*boards.LOADED_ONCE, *line.LOADED_ONCE, line.LOADED_FOR_TESTS]
        boards.LOADED_ONCE = line.LOADED_ONCE = modules
    gc.freeze()  # what was collected stays: looking for garbage in it, here and in the tests, takes longer
    gc.enable()


def spare_the_garbage_collector() -> None:
    """Let it pass over all that is there: pytest-embedded asks it five times a device who refers to what."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def nothing_waits_for_the_disk() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        hurry(patch)
        yield


@pytest.fixture(scope="session", autouse=True)
def alembic_makes_a_schema_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        remember_schema(patch)
        yield


@pytest.fixture(scope="session")
def run_pytest() -> Iterator[RunPytest]:
    """Runs pytest, as a process of its own."""
    with serve() as run:
        yield run


@pytest.fixture
def esptool_traces_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It formats each packet for its trace before it looks whether there is one: half of the time of a read."""
    monkeypatch.setattr("esptool.loader.HexFormatter.__str__", lambda packet: "")


@pytest.fixture(scope="session")
def fctry_applications(
    pytestconfig: pytest.Config, fctry_build_folder: Path, factory_project: Project
) -> list[Path]:
    """Overrides the plugin's fixture: the native board also runs the application with NVS encryption.

    Here, as a session has its boards from whichever folder's test is the first.
    """
    if pytestconfig.option.fctry_board != "native":
        return [fctry_build_folder]
    from fctry.reference.native_build import build, recipe_of

    return [fctry_build_folder, build(recipe_of(factory_project, config=NVS_ENCRYPTION))]
