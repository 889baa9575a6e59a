"""The board's port: monitors, clients that come and go, busy and closed ports."""

from __future__ import annotations

import os
import pty
import select
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import serial.rfc2217
from esptool.util import FatalError

from fctry.boards import Board
from fctry.device import flasher
from fctry.errors import PortError
from fctry.serialport import open_port
from tests.boards.kit import TIMEOUT_S, Console, RunEsptool


def test_miniterm_shows_the_console_and_sends_what_is_typed(installed_board: Board) -> None:
    terminal, terminal_of_miniterm = pty.openpty()
    command = [sys.executable, "-m", "serial.tools.miniterm", "--raw", installed_board.url, "115200"]
    with subprocess.Popen(
        command, stdin=terminal_of_miniterm, stdout=terminal_of_miniterm, stderr=subprocess.STDOUT
    ) as miniterm:
        os.close(terminal_of_miniterm)
        seen = b""

        def see(text: bytes) -> None:
            nonlocal seen
            deadline = time.monotonic() + TIMEOUT_S
            while text not in seen:
                assert select.select([terminal], [], [], deadline - time.monotonic())[0], seen
                seen += os.read(terminal, 4096)

        see(b"--- Miniterm on rfc2217://")
        os.write(terminal, b"typed here\n")
        see(b"echo typed here")
        os.write(terminal, b"\x1d")  # Ctrl-], miniterm's exit
        see(b"--- exit ---")
        miniterm.wait(TIMEOUT_S)
    os.close(terminal)


def test_second_client_is_told_that_the_port_is_busy(installed_board: Board, console: Console) -> None:
    with pytest.raises(PortError, match="another client is connected to this board") as caught:
        open_port(installed_board.url)
    assert "close the program that uses it" in caught.value.hint
    console.ask("the first one", "echo the first one")


def test_esptool_on_a_busy_port_says_so(
    installed_board: Board, console: Console, run_esptool: RunEsptool
) -> None:
    with pytest.raises(FatalError, match="another client is connected to this board"):
        run_esptool(installed_board, "flash-id")


def test_flasher_on_a_busy_port_says_so(installed_board: Board, console: Console) -> None:
    with pytest.raises(PortError, match="another client"), flasher.connect(installed_board.url):
        pass


def test_flasher_with_nobody_on_the_port_says_so(blank_board: Board) -> None:
    blank_board.close()
    with pytest.raises(PortError, match="nobody listens there"), flasher.connect(blank_board.url):
        pass


def test_clients_may_follow_each_other_at_once(installed_board: Board) -> None:
    for number in range(20):
        console = Console(installed_board.url)
        console.ask(f"client {number}", f"echo client {number}")
        console.close()


def test_client_that_vanishes_frees_the_port(installed_board: Board) -> None:
    host, port = "127.0.0.1", int(installed_board.url.rsplit(":", 1)[1])
    rude = socket.create_connection((host, port))
    rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # RST instead of FIN
    rude.close()
    console = Console(installed_board.url)
    console.ask("next", "echo next")
    console.close()


def test_words_said_to_nobody_are_lost_and_hold_nothing_up(installed_board: Board, console: Console) -> None:
    console.send("flood")
    console.expect("xxxx")
    console.close()
    time.sleep(0.2)  # megabytes of it
    console = Console(installed_board.url)
    console.reset()
    console.expect("standin pid=")
    console.close()


def test_client_that_does_not_read_does_not_keep_the_board_from_closing(installed_board: Board) -> None:
    console = Console(installed_board.url)
    console.send("flood")
    console.expect("xxxx")
    host, port = "127.0.0.1", int(installed_board.url.rsplit(":", 1)[1])
    console.close()
    deaf = socket.create_connection((host, port))
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    time.sleep(0.2)
    closer = threading.Thread(target=installed_board.close)
    closer.start()
    closer.join(TIMEOUT_S)
    assert not closer.is_alive()
    deaf.close()


def test_input_that_the_firmware_does_not_read_is_lost_and_holds_nothing_up(console: Console) -> None:
    console.send("hang")
    console.expect("hanging")
    for _ in range(200):
        console.line.write(b"x" * 4096)
    console.reset()
    console.expect("standin pid=")


def test_chip_held_in_reset_runs_nothing(console: Console) -> None:
    console.line.rts = True
    console.send("hello")
    console.line.timeout = 0.2
    assert console.line.read(1) == b""
    console.line.rts = False
    console.expect("standin pid=")


def test_leaving_client_releases_the_reset(installed_board: Board, console: Console) -> None:
    console.line.rts = True
    console.close()
    console = Console(installed_board.url)
    console.ask("hello", "echo hello")
    console.close()


def test_bytes_in_download_that_are_no_frames_are_ignored(console: Console, installed_board: Board) -> None:
    console.reset(into_download=True)
    console.expect("waiting for download")
    console.line.write(os.urandom(5000))
    with pytest.raises(AssertionError):
        console.expect("never", timeout_s=0.1)
    console.reset()
    console.expect("standin pid=")


def test_port_that_is_taken_is_refused(installed_board: Board, tmp_path: Path) -> None:
    port = int(installed_board.url.rsplit(":", 1)[1])
    with pytest.raises(PortError, match="cannot listen") as caught:
        Board(tmp_path / "other.bin", port=port)
    assert "--port" in caught.value.hint


def test_board_listens_on_loopback_only(installed_board: Board) -> None:
    port = int(installed_board.url.rsplit(":", 1)[1])
    table = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()
    listening = [line.split()[1] for line in table if line.split()[3] == "0A"]
    assert [address for address in listening if address.endswith(f":{port:04X}")] == [f"0100007F:{port:04X}"]


def test_lost_board_is_a_port_error(installed_board: Board) -> None:
    with flasher.connect(installed_board.url) as chip:
        installed_board.close()
        with pytest.raises(PortError, match="lost"):
            chip.read(0, 4096)


@pytest.mark.filterwarnings("ignore:set:DeprecationWarning")  # pyserial 3.5 names its threads the old way
def test_pyserials_own_client_reads_the_console(installed_board: Board) -> None:
    with serial.rfc2217.Serial(installed_board.url, baudrate=115200, timeout=TIMEOUT_S) as line:
        line.write(b"hello\n")
        assert line.read_until(b"echo hello\r\n").endswith(b"echo hello\r\n")
        assert line.cts
