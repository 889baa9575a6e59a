"""When the BOOT button counts: the pure logic, as a library."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

MAIN = Path(__file__).parents[3] / "firmware" / "main"
Button = Callable[[bool, int], int]  # is_down, now_ms
NOTHING, PRESSED, CANCELLED, HELD = range(4)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    path = tmp_path_factory.mktemp("library") / "boot_button.so"
    command = ["cc", "-shared", "-fPIC", f"-I{MAIN}", "-o", path, MAIN / "boot_button.c"]
    subprocess.run(command, check=True)
    return ctypes.CDLL(str(path))


@pytest.fixture
def button(library: ctypes.CDLL) -> Button:
    state = ctypes.create_string_buffer(64)  # more than a boot_button_t
    return lambda is_down, now_ms: library.boot_button_update(state, is_down, ctypes.c_uint32(now_ms))


def test_held_for_five_seconds(button: Button) -> None:
    assert [button(True, now) for now in (0, 4999, 5000, 5001)] == [PRESSED, NOTHING, HELD, NOTHING]


def test_let_go_cancels_for_good(button: Button) -> None:
    assert [button(*at) for at in ((True, 10), (False, 20), (True, 30))] == [PRESSED, CANCELLED, NOTHING]


@pytest.mark.parametrize("report_ms", [0, 3050, 9000], ids="report takes {} ms".format)
def test_window_begins_with_the_first_look_however_long_the_report_took(
    button: Button, report_ms: int
) -> None:
    assert button(False, report_ms) == NOTHING
    assert button(True, report_ms + 3000) == PRESSED


def test_pressed_after_the_window_is_the_applications(button: Button) -> None:
    assert [button(*at) for at in ((False, 9000), (False, 12001), (True, 12002))] == [NOTHING] * 3
