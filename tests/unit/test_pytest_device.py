"""Lines of a device's console, out of what pytest-embedded has of it."""

from __future__ import annotations

import re

import pexpect
import pytest

from fctry.device.deadline import Deadline
from fctry.pytest_plugin.device import DutWire


class Said:
    """What a device has said so far, as pytest-embedded's `dut` gives it."""

    def __init__(self, data: bytes) -> None:
        self._buffer = data

    def expect(self, pattern: re.Pattern[bytes], timeout: float) -> re.Match[bytes]:
        match = pattern.search(self._buffer)
        if match is None:
            raise pexpect.TIMEOUT("")
        self._buffer = self._buffer[match.end() :]
        return match


@pytest.mark.parametrize(
    ("said", "lines"),
    [
        (b"a\nb\r\nc\r\r\n\n", [b"a", b"b", b"c", b""]),
        (b"10 %\r20 %\r30 %\r\nno end", [b"30 %"]),
        # of a crash, or another baud rate: searched from each byte on, it would take hours
        (b"x" * 200_000, []),
    ],
)
def test_lines_are_what_stands_before_their_ends(said: bytes, lines: list[bytes]) -> None:
    assert list(DutWire(Said(said)).lines(Deadline.after(1))) == lines
