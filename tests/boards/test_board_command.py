"""The command `fctry board`: what it says, and what it refuses before it serves anything."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from fctry.cli.arguments import BadParameter, mac
from fctry.cli.main import main
from tests.boards.kit import TIMEOUT_S, Console

COMMAND = [sys.executable, "-m", "fctry", "board"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_board_says_where_it_listens_and_stops_on_a_signal(
    number: signal.Signals, standin: Path, tmp_path: Path
) -> None:
    options = [
        "--app",
        standin,
        "--port",
        "0",
        "--flash",
        tmp_path / "flash.bin",
        "--mac",
        "24:0A:C4:00:00:07",
    ]
    with subprocess.Popen(
        [*COMMAND, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        match = re.fullmatch(r"listening on (rfc2217://127\.0\.0\.1:\d+)\n", process.stdout.readline())
        assert match is not None
        console = Console(match[1])
        console.reset()
        console.expect("load partition table error")
        console.close()
        process.send_signal(number)
        assert process.communicate(timeout=TIMEOUT_S) == ("", "")
    assert process.returncode == 0
    assert (tmp_path / "flash.bin").stat().st_size == 4 << 20


def fails(arguments: list[str | Path], capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["board", *map(str, arguments)]) == 1
    return capsys.readouterr().err


def test_port_that_is_taken_is_refused_with_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = fails(["--port", port, "--flash", tmp_path / "flash.bin"], capsys)
    assert f"error: cannot listen on 127.0.0.1:{port}" in said
    assert "hint: choose another port" in said
    assert not (tmp_path / "flash.bin").exists()


def test_application_that_is_absent_is_refused_with_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = fails(["--app", tmp_path / "no-build", "--port", "0", "--flash", tmp_path / "flash.bin"], capsys)
    assert str(tmp_path / "no-build") in said
    assert "hint: give a build folder" in said
    assert not (tmp_path / "flash.bin").exists()


def test_flash_file_of_another_size_is_refused_and_untouched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "flash.bin").write_bytes(b"mine")
    said = fails(["--port", "0", "--flash", tmp_path / "flash.bin"], capsys)
    assert f"error: {tmp_path / 'flash.bin'}: the flash file has 4 bytes" in said
    assert (tmp_path / "flash.bin").read_bytes() == b"mine"


def test_fault_that_is_none_is_refused_with_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = fails(["--port", "0", "--flash", tmp_path / "flash.bin", "--fault", "drop"], capsys)
    assert "error: drop: drop needs byte" in said
    assert "hint: a drop is written so: drop byte=BYTE" in said
    (tmp_path / "plan.txt").write_text("silent\nfrob\n")
    said = fails(["--flash", tmp_path / "flash.bin", "--faults", tmp_path / "plan.txt"], capsys)
    assert f"{tmp_path / 'plan.txt'}:2: no fault is called 'frob'" in said
    assert not (tmp_path / "flash.bin").exists()


def test_flash_size_that_no_chip_has_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["board", "--flash-size", "3MB"]) == 2


@pytest.mark.parametrize("text", ["24:0a:c4:00:00:07", "24-0A-C4-00-00-07", "240ac4000007"])
def test_mac_may_be_written_as_is_usual(text: str) -> None:
    assert mac(text) == bytes.fromhex("240ac4000007")


@pytest.mark.parametrize("text", ["", "24:0a:c4", "24:0a:c4:00:00:0g", "24:0a:c4:00:00:07:08"])
def test_mac_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadParameter, match="no MAC address"):
        mac(text)


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_refusals_leave_no_descriptor_open(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "flash.bin").write_bytes(b"mine")
    before = open_descriptors()
    for _ in range(3):
        fails(["--port", "0", "--flash", tmp_path / "flash.bin"], capsys)
    assert open_descriptors() == before
