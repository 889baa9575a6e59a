"""The fast client against the servers that others run: pyserial's and Espressif's esp_rfc2217_server."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
import serial
from esp_rfc2217_server.esp_port_manager import EspPortManager
from serial.rfc2217 import PortManager

from fctry.serialport.protocol_rfc2217 import Serial


class Wire(SimpleNamespace):
    """What a server takes for a serial port: an echo."""

    def __init__(self) -> None:
        super().__init__(baudrate=0, bytesize=0, parity="", stopbits=0, xonxoff=False, rtscts=False)
        self.cts = self.dsr = True
        self.ri = self.cd = self.rts = self.dtr = False
        self.purges: list[str] = []
        self.lines: list[tuple[str, bool]] = []

    def reset_input_buffer(self) -> None:
        self.purges.append("input")

    def reset_output_buffer(self) -> None:
        self.purges.append("output")

    def isOpen(self) -> bool:  # noqa: N802  # pyserial's names
        return True

    def setRTS(self, state: bool) -> None:  # noqa: N802
        self.lines.append(("RTS", state))

    def setDTR(self, state: bool) -> None:  # noqa: N802
        self.lines.append(("DTR", state))


class Connection:
    """What a server takes for the client's connection."""

    def __init__(self, client: socket.socket) -> None:
        self.client = client
        self.lock = threading.Lock()

    def write(self, data: bytes) -> None:
        with self.lock:
            self.client.sendall(data)


Manager = Callable[[Wire, Connection], PortManager]
MANAGERS: dict[str, tuple[Manager, str]] = {
    "pyserial": (PortManager, ""),
    "esp_rfc2217_server": (
        lambda wire, connection: EspPortManager(wire, connection, False),
        "?ign_set_control",
    ),
}


@pytest.fixture(params=MANAGERS)
def served(request: pytest.FixtureRequest) -> Iterator[tuple[Wire, str]]:
    """The wire behind a server, and its URL."""
    make, options = MANAGERS[request.param]
    wire = Wire()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            client, _ = listener.accept()
            with client:
                connection = Connection(client)
                manager = make(wire, connection)
                while received := client.recv(1024):
                    data = b"".join(manager.filter(received))
                    connection.write(b"".join(manager.escape(data)))

        server = threading.Thread(target=serve)
        server.start()
        yield wire, f"rfc2217://127.0.0.1:{listener.getsockname()[1]}{options}"
        server.join()


@pytest.fixture
def client(served: tuple[Wire, str]) -> Iterator[Serial]:
    port = Serial(None, baudrate=115200, timeout=20)
    port.rts = port.dtr = False
    port.port = served[1]
    with port:  # opens it
        yield port


def test_settings_reach_the_wire(served: tuple[Wire, str], client: Serial) -> None:
    wire, _ = served
    assert (wire.baudrate, wire.bytesize, wire.parity, wire.stopbits) == (115200, 8, "N", 1)
    client.baudrate = 921600
    client.parity = serial.PARITY_EVEN
    assert (wire.baudrate, wire.parity) == (921600, "E")


def test_data_of_every_value_comes_back(client: Serial) -> None:
    data = bytes(range(256)) * 8
    client.write(data)
    assert client.read(len(data)) == data


def test_purge_reaches_the_wire(served: tuple[Wire, str], client: Serial) -> None:
    wire, _ = served
    wire.purges.clear()
    client.reset_input_buffer()
    client.reset_output_buffer()
    assert wire.purges == ["input", "output"]


def test_input_lines_are_those_of_the_wire(client: Serial) -> None:
    assert (client.cts, client.dsr, client.ri, client.cd) == (True, True, False, False)
