"""Listening to a chip. (Flashing is tested against the simulated board, with real esptool: tests/boards.)"""

import contextlib
import importlib
import inspect
import pkgutil
from types import ModuleType, SimpleNamespace
from typing import NoReturn

import esptool
import pytest
import serial

from fctry.device import Chip, Deadline
from fctry.errors import DeviceError, PortError
from fctry.serialport.rfc2217_link import OpenError


class Port:
    """A serial port that receives given chunks, one a read."""

    port = "fake"
    in_waiting = 0
    timeout = None

    def __init__(self, *chunks: bytes) -> None:
        self.chunks = list(chunks)

    def read(self, _: int) -> bytes:
        return self.chunks.pop(0) if self.chunks else b""


def listening(*chunks: bytes) -> Chip:
    return Chip(SimpleNamespace(_port=Port(*chunks)))


def test_lines_cut_anywhere_are_put_together() -> None:
    lines = listening(b"a", b"b\r", b"\nc\r\n\r\nd").lines(Deadline.after(60))
    assert [next(lines) for _ in range(3)] == [b"ab", b"c", b""]


def test_lines_not_yet_taken_come_with_the_next_call() -> None:
    chip = listening(b"one\ntwo\nthr", b"ee\n")
    assert next(chip.lines(Deadline.after(1))) == b"one"
    lines = chip.lines(Deadline.after(1))
    assert [next(lines), next(lines)] == [b"two", b"three"]


def exception_classes(package: ModuleType) -> list[type[Exception]]:
    """All exception classes that a package defines, with one of each raised."""
    found = set()
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if module.name.endswith("__main__"):
            continue
        with contextlib.suppress(ImportError, OSError):  # of another system
            names = vars(importlib.import_module(module.name)).values()
            found |= {one for one in names if inspect.isclass(one) and issubclass(one, Exception)}
    return sorted((one for one in found if one.__module__.split(".")[0] == package.__name__), key=str)


@pytest.mark.parametrize(
    "error", [*exception_classes(esptool), *exception_classes(serial), OpenError], ids=str
)
def test_exception_of_a_lower_library_is_one_of_ours(error: type[Exception]) -> None:
    def fail(_: bytes) -> NoReturn:
        raise error.__new__(error, "why")  # whatever its constructor wants

    port = Port()
    port.write = fail
    with pytest.raises(PortError if issubclass(error, serial.SerialException) else DeviceError) as caught:
        Chip(SimpleNamespace(_port=port)).send(b"x")
    assert caught.value.hint
    assert not isinstance(caught.value, error)
