"""What a failed test of a device shows: what was awaited and what came, the last of the console, and never a secret."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Generator, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest
from _pytest._code.code import ExceptionRepr, ReprFileLocation, TerminalRepr
from _pytest._io import TerminalWriter

import fctry
from fctry.errors import FctryError
from fctry.printable import Curtain
from fctry.pytest_plugin.device import FactoryDevice

CONSOLE_LINES = 20
LIBRARY = Path(fctry.__path__[0])


class Text(TerminalRepr):
    """A failure as text; `message` is what the summary says of it."""

    def __init__(self, text: str, message: str) -> None:
        self.text = text
        self.reprcrash = ReprFileLocation("", 0, message)

    def toterminal(self, tw: TerminalWriter) -> None:
        tw.line(self.text)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    error = call.excinfo.value if call.excinfo and isinstance(call.excinfo.value, FctryError) else None
    kept = _of_the_test(error.__traceback__) if error and not item.config.option.fulltrace else None
    if error and kept:
        error.__cause__, error.__suppress_context__ = None, True  # its message says what that said
        call.excinfo = pytest.ExceptionInfo.from_exception(error.with_traceback(kept))
    report = yield
    devices = list(_devices(getattr(item, "funcargs", {}).values()))
    if error and not kept and not item.config.option.fulltrace:  # in a fixture of the plugin
        report.longrepr = Text(f"{error}\n{error.hint}", str(error))
    elif report.failed and isinstance(report.longrepr, ExceptionRepr):
        if error and error.hint:
            report.longrepr.addsection("what to do", error.hint)
        for device in devices:
            for name, text in _sections(device):
                report.longrepr.addsection(name, text)
    _redact(report, Curtain(secret for device in devices for secret in device.secrets))
    return report


def _of_the_test(traceback: TracebackType | None) -> TracebackType | None:
    """What of a traceback is in files of the project: how the library came to its error is said by the error."""
    if traceback is None:
        return None
    rest = _of_the_test(traceback.tb_next)
    if Path(traceback.tb_frame.f_code.co_filename).is_relative_to(LIBRARY) or _is_between(traceback):
        return rest
    return TracebackType(rest, traceback.tb_frame, traceback.tb_lasti, traceback.tb_lineno)


def _is_between(traceback: TracebackType) -> bool:
    """Whether it is what has called the library for the test, or the test."""
    package = str(traceback.tb_frame.f_globals.get("__name__", "")).partition(".")[0]
    return package in ("_pytest", "pluggy", "pytest_embedded") or package in sys.stdlib_module_names


def _devices(values: Iterable[Any]) -> Iterable[FactoryDevice]:
    for value in values:
        if isinstance(value, FactoryDevice):
            yield value
        elif isinstance(value, list):
            yield from (one for one in value if isinstance(one, FactoryDevice))


def _sections(device: FactoryDevice) -> Iterable[tuple[str, str]]:
    """What the device said in this test: its report lines, counted, and the last lines of its console."""
    try:
        lines = device.said().splitlines()
    except OSError:
        return
    names = Counter(name for line in lines if (name := _event_name(line)))
    came = ", ".join(f"{name} ({number})" if number > 1 else name for name, number in names.items())
    yield "report lines that came", came or "none"
    shown = lines[-CONSOLE_LINES:]
    yield (
        f"console, last {len(shown)} of {len(lines)} lines",
        "\n".join(_printable(line) for line in shown) or "nothing",
    )


def _event_name(line: bytes) -> str:
    from fctry.device.report import parse_line

    try:
        event = parse_line(line)
    except FctryError:
        return "a damaged line"
    return event.name if event else ""


def _printable(line: bytes) -> str:
    text = line.decode(errors="backslashreplace")
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


def _redact(report: pytest.TestReport, secrets: Curtain) -> None:
    if report.longrepr is not None:
        text = str(report.longrepr)
        if text != secrets.hide(text):
            crash = getattr(report.longrepr, "reprcrash", None)
            report.longrepr = Text(secrets.hide(text), secrets.hide(getattr(crash, "message", "")))
    report.sections = [(name, secrets.hide(text)) for name, text in report.sections]
