"""The fast client against ser2net, which serves a pseudo terminal that echoes."""

from __future__ import annotations

import os
import pty
import shutil
import socket
import subprocess
import threading
import time
import tty
from collections.abc import Iterator
from contextlib import suppress

import pytest

from fctry.serialport.protocol_rfc2217 import OpenError, Serial

SER2NET = shutil.which("ser2net", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
pytestmark = pytest.mark.skipif(SER2NET is None, reason="ser2net is not installed (Debian's package ser2net)")

CONFIGURATION = """connection: &port
  accepter: telnet(rfc2217),tcp,127.0.0.1,{tcp_port}
  connector: serialdev,{device},115200n81,local
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    with socket.create_server(("127.0.0.1", 0)) as free:
        tcp_port = free.getsockname()[1]
    configuration = tmp_path_factory.mktemp("ser2net") / "ser2net.yaml"
    configuration.write_text(CONFIGURATION.format(tcp_port=tcp_port, device=os.ttyname(theirs)))
    threading.Thread(target=echo, args=(ours,), daemon=True).start()
    assert SER2NET
    with subprocess.Popen([SER2NET, "-d", "-u", "-c", configuration], stderr=subprocess.DEVNULL) as server:
        wait_for(tcp_port)
        yield f"rfc2217://127.0.0.1:{tcp_port}?ign_set_control"  # a pseudo terminal has no DTR and RTS
        server.terminate()
    os.close(theirs)
    os.close(ours)


def echo(descriptor: int) -> None:
    with suppress(OSError):  # of a terminal that is closed
        while data := os.read(descriptor, 4096):
            os.write(descriptor, data)


def wait_for(tcp_port: int) -> None:
    for _ in range(200):
        with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", tcp_port)):
            return
        time.sleep(0.05)
    raise AssertionError("ser2net does not listen")


def open_when_free(url: str) -> Serial:
    """ser2net frees a port some time after its client has left."""
    for _ in range(50):
        with suppress(OpenError):
            return Serial(url, baudrate=115200, timeout=20)
        time.sleep(0.1)
    return Serial(url, baudrate=115200, timeout=20)


def test_data_of_every_value_comes_back(url: str) -> None:
    data = bytes(range(256)) * 4
    with open_when_free(url) as client:
        client.baudrate = 921600
        client.write(data)
        assert client.read(len(data)) == data


def test_refusal_of_a_second_client_says_why_every_time(url: str) -> None:
    with open_when_free(url):
        for _ in range(20):
            with pytest.raises(OpenError, match="already in use"):
                Serial(url)
