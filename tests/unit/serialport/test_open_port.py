"""Opening a port: every failure is a PortError with a remedy. Finding ports."""

from __future__ import annotations

import errno
import socket
from types import SimpleNamespace

import pytest
import serial

from fctry.errors import PortError
from fctry.serialport import FoundPort, find, find_ports, is_connected, only_port, open_port, port_at


def test_port_nobody_listens_on_names_the_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(PortError, match="nobody listens") as caught:
        open_port(f"rfc2217://127.0.0.1:{port}")
    assert "Start the board" in caught.value.hint


def test_unknown_host_names_the_remedy() -> None:
    with pytest.raises(PortError, match="could not open port") as caught:
        open_port("rfc2217://host.invalid:4000")
    assert "network" in caught.value.hint


def test_device_that_is_absent_names_the_remedy() -> None:
    with pytest.raises(PortError, match="could not open port") as caught:
        open_port("/dev/ttyFCTRY0")
    assert "list_ports" in caught.value.hint


@pytest.mark.parametrize(
    ("port", "reason"),
    [
        ("/dev/ttyFCTRY0", "No such file or directory"),
        ("/dev/null", "Inappropriate ioctl for device"),
        ("socket://127.0.0.1:0", "Connection refused"),
        ("socket://127.0.0.1", "'<=' not supported between instances of 'int' and 'NoneType'"),
    ],
)
def test_reason_is_said_once(port: str, reason: str) -> None:
    with pytest.raises(PortError) as caught:
        open_port(port)
    assert str(caught.value) == f"could not open port {port}: {reason}"


@pytest.mark.parametrize("url", ["rfc2217://127.0.0.1", "carrier-pigeon://x"])
def test_url_that_is_none_names_the_remedy(url: str) -> None:
    with pytest.raises(PortError) as caught:
        open_port(url)
    assert "check the URL" in caught.value.hint


@pytest.mark.parametrize(
    ("number", "remedy"),
    [(errno.EBUSY, "another program"), (errno.EACCES, "dialout"), (errno.EAGAIN, "another program")],
)
def test_device_error_names_the_remedy(number: int, remedy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise serial.SerialException(number, "could not open port")

    monkeypatch.setattr(serial, "serial_for_url", fail)
    with pytest.raises(PortError) as caught:
        open_port("/dev/ttyUSB0")
    assert remedy in caught.value.hint


def test_find_ports_lists_known_adapters_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    ports = [
        SimpleNamespace(device="/dev/ttyUSB1", vid=0x10C4, serial_number="0001"),
        SimpleNamespace(device="/dev/ttyS0", vid=None, serial_number=None),
        SimpleNamespace(device="/dev/ttyACM0", vid=0x303A, serial_number=None),
        SimpleNamespace(device="/dev/ttyUSB9", vid=0x1234, serial_number="x"),
    ]
    monkeypatch.setattr(find, "comports", lambda: ports)
    assert find_ports() == [
        FoundPort("/dev/ttyACM0", "Espressif USB", ""),
        FoundPort("/dev/ttyUSB1", "Silicon Labs CP210x", "0001"),
    ]


def test_only_port_is_taken_and_a_choice_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    ports = [FoundPort("/dev/ttyUSB0", "CP210x", ""), FoundPort("/dev/ttyUSB1", "CH34x", "")]
    monkeypatch.setattr(find, "find_ports", lambda: ports[:1])
    assert only_port() == "/dev/ttyUSB0"
    monkeypatch.setattr(find, "find_ports", lambda: ports)
    with pytest.raises(PortError, match=r"/dev/ttyUSB0 \(CP210x\), /dev/ttyUSB1 \(CH34x\)") as caught:
        only_port()
    assert "--port" in caught.value.hint
    monkeypatch.setattr(find, "find_ports", list)
    with pytest.raises(PortError, match="no board is connected"):
        only_port()


def test_port_is_found_by_its_usb_location_whatever_its_name_is(monkeypatch: pytest.MonkeyPatch) -> None:
    ports = [
        SimpleNamespace(device="/dev/ttyS0", location=None),
        SimpleNamespace(device="/dev/ttyUSB3", location="1-1.2"),
        SimpleNamespace(device="/dev/ttyACM1", location="1-1.3:1.0"),
        SimpleNamespace(device="/dev/ttyUSB4", location="1-1.2.1"),
    ]
    monkeypatch.setattr(find, "comports", lambda: ports)
    assert [port_at(place) for place in ("1-1.2", "1-1.3", "1-1.2.1", "COM3")] == [
        "/dev/ttyUSB3",
        "/dev/ttyACM1",
        "/dev/ttyUSB4",
        "COM3",
    ]
    assert (is_connected("1-1.2"), is_connected("/dev/ttyACM1")) == (True, True)
    assert (is_connected("1-1"), is_connected("/dev/ttyACM7")) == (False, False)
    with pytest.raises(PortError, match=r"location 1-1\.4"):
        port_at("1-1.4")
