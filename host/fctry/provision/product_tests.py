"""The product's own tests, between proof and PASS: pytest functions, on the connection that the proof came over.

    def test_supply(factory_device, measure):
        measure("vbat", supply_volts(factory_device.ask("adc 0")), "V", low=3.2, high=3.4)

A device takes no more than a second, so pytest runs in this process, without the plugins that are installed and without
the settings around the folder: what its conftest.py and its own `pytest.ini` say counts.
"""

from __future__ import annotations

import contextlib
import io
import math
import os
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from fctry.device.commands import stored_bytes
from fctry.device.console import Console
from fctry.device.device_under_test import DeviceUnderTest
from fctry.device.report import Report
from fctry.errors import DeviceError, InputError
from fctry.partitions.table import Partition
from fctry.printable import Curtain
from fctry.provision.record import CaseRecord, Measurement
from fctry.provision.run import Run

TEST_TIMEOUT_S = 60.0  # for one test function; where the system has timers for processes
PLAIN = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": "", "PYTEST_PLUGINS": ""}


class LineDevice(DeviceUnderTest):
    """The device at the station. `public` are its values that people may see, by name."""

    def __init__(self, run: Run) -> None:
        assert run.console
        self._run, self._console = run, run.console
        self.partition: Partition = run.partition
        self.table, self.public = run.table, run.public

    @property
    def console(self) -> Console:
        """The firmware's console."""
        return self._console

    def reset(self) -> Report:
        """Reset the device and return what its firmware reports of the factory partition."""
        self._run.chip.reset()
        self._console.is_ready = False
        self.expect_event("boot")
        return self.report()


def run_tests(run: Run) -> str:
    """Run the product's own tests."""
    assert run.tests
    assert run.image
    secrets = [item.value for item in run.image.items if item.is_secret]
    hidden = Curtain(stored_bytes(value) for value in secrets if isinstance(value, str | bytes))
    plugin = _Plugin(LineDevice(run), hidden)
    try:
        _run_pytest(run.tests, plugin)
    finally:
        run.cases = tuple(plugin.cases.values())
    failed = [case for case in run.cases if case.outcome == "failed"]
    if failed:
        raise DeviceError(
            f"{len(failed)} of {len(run.cases)} tests failed: {failed[0].name}: {failed[0].error}",
            hint=f"the record has them all; the tests are in {run.tests}",
        )
    measured = sum(len(case.measurements) for case in run.cases)
    return f"{len(run.cases)} tests, {measured} measurements"


def check_tests(folder: Path) -> float:
    """Collect the tests of this folder: how many seconds they take at most.

    Raises InputError when there are none, or a file of them is wrong.
    """
    if not folder.is_dir():
        raise InputError("no such folder", hint="--tests takes a folder of pytest functions", file=folder)
    plugin = _Plugin(None, Curtain(()))
    _run_pytest(folder, plugin, "--collect-only")
    return plugin.collected * TEST_TIMEOUT_S


@dataclass(eq=False)  # pytest 8.0 keeps plugins in a set
class _Plugin:
    """The fixtures, and what became of each test."""

    device: LineDevice | None
    curtain: Curtain
    cases: dict[str, CaseRecord] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)  # of collecting
    collected: int = 0
    _measured: list[Measurement] = field(default_factory=list)

    @pytest.fixture(scope="session")
    def factory_device(self) -> LineDevice | None:
        return self.device

    @pytest.fixture
    def measure(self) -> Callable[..., float]:
        """Records a measurement; the test fails at its end where one was out of its limits."""

        def measure(
            name: str, value: float, unit: str = "", *, low: float | None = None, high: float | None = None
        ) -> float:
            if not math.isfinite(value):
                raise ValueError(f"{name} is {value}, no number")
            if not (-math.inf if low is None else low) <= (math.inf if high is None else high):
                raise ValueError(f"{name} can never be within its limits: low {low}, high {high}")
            self._measured.append(Measurement(name, value, unit, low, high))
            return value

        return measure

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Generator[None, object, object]:
        with _time_limit(TEST_TIMEOUT_S):
            done = yield
        wrong = [str(one) for one in self._measured if not one.is_within]
        if wrong:
            pytest.fail(", ".join(wrong), pytrace=False)
        return done

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        before = self.cases.get(report.nodeid, CaseRecord(report.nodeid, 0.0, "passed"))
        is_over = report.when == "teardown"
        self.cases[report.nodeid] = CaseRecord(
            report.nodeid,
            round(before.seconds + report.duration, 3),
            before.outcome if report.passed else report.outcome,
            before.error or ("" if report.passed else self.curtain.hide(_message(report.longrepr))),
            tuple(self._measured) if is_over else (),
        )
        if is_over:
            self._measured.clear()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.collected = len(session.items)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.errors.append(str(report.longrepr).strip().splitlines()[-1])


def _run_pytest(folder: Path, plugin: _Plugin, *more: str) -> None:
    """Raises InputError when the tests cannot be run; that one fails is no error here."""
    own = folder / "pytest.ini"
    options = [
        "-qq",  # without the plugin that prints, pytest 8 does not say what was wrong with an assertion
        "--no-header",
        "--no-summary",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:unraisableexception",  # at its end it collects garbage five times, which takes longer than short tests
        "--import-mode=importlib",
        "--rootdir",
        str(folder),
        "--confcutdir",  # else it looks through each folder that this one is in
        str(folder),
    ]
    options += ["-c", str(own) if own.is_file() else os.devnull]
    said = io.StringIO()
    with _environment(PLAIN), contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = pytest.main([*options, *more, str(folder)], plugins=[plugin])
    _forget_modules_of(folder)
    if code in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) and not plugin.errors:
        return
    lines = plugin.errors or [line for line in said.getvalue().splitlines() if line.strip()][-1:]
    raise InputError(
        "no tests in it" if code == pytest.ExitCode.NO_TESTS_COLLECTED else f"pytest: {' '.join(lines)}",
        hint=f"try them: pytest --collect-only {folder}",
        file=folder,
    )


def _forget_modules_of(folder: Path) -> None:
    """What tests keep in their modules is not the next device's."""
    for name, module in list(sys.modules.items()):
        if Path(getattr(module, "__file__", None) or "/").is_relative_to(folder.absolute()):
            del sys.modules[name]


@contextlib.contextmanager
def _environment(changed: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(changed)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextlib.contextmanager
def _time_limit(limit_s: float) -> Iterator[None]:
    """Ends what takes longer, with a DeviceError."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: FrameType | None) -> None:
        raise DeviceError(f"not done within {limit_s:g} s", hint="a test waits with a deadline")

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, limit_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _message(longrepr: Any) -> str:
    """The line of a failure that says what is wrong."""
    if isinstance(longrepr, tuple):  # of a skip: file, line, reason
        return str(longrepr[-1]).removeprefix("Skipped: ")
    crash = getattr(longrepr, "reprcrash", None)
    text = crash.message if crash else str(longrepr)
    return next(iter(text.removeprefix("Failed: ").strip().splitlines()), "")
