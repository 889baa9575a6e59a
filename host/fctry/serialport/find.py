"""Find the serial ports that may have an Espressif chip behind them."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass

from serial.tools.list_ports import comports

from fctry.errors import PortError
from fctry.serialport.open import open_port

# USB vendor ids of the chip itself and of the adapters on its boards.
# Source: the udev rules that OpenOCD-ESP32 ships (contrib/60-openocd.rules), and the boards' schematics
_VENDORS = {
    0x303A: "Espressif USB",
    0x10C4: "Silicon Labs CP210x",
    0x1A86: "WCH CH34x",
    0x0403: "FTDI",
}
_USB_LOCATION = re.compile(r"\d+-\d+(\.\d+)*")


@dataclass(frozen=True)
class FoundPort:
    """A serial port. `serial_number` is the adapter's; many cheap adapters share one, so it identifies nothing."""

    device: str
    adapter: str
    serial_number: str


def find_ports() -> list[FoundPort]:
    """Ports with a known adapter, sorted by name."""
    return sorted(
        (
            FoundPort(port.device, _VENDORS[port.vid], port.serial_number or "")
            for port in comports()
            if port.vid in _VENDORS
        ),
        key=lambda port: port.device,
    )


def only_port() -> str:
    """The port of the one board that is connected. Raises PortError when there is none, or a choice."""
    ports = find_ports()
    if not ports:
        raise PortError("no board is connected", hint="connect one, or name its port: --port PORT")
    if len(ports) > 1:
        listed = ", ".join(f"{port.device} ({port.adapter})" for port in ports)
        raise PortError(f"several boards are connected: {listed}", hint="name the port of one: --port PORT")
    return ports[0].device


def port_at(place: str) -> str:
    """The port at a USB location such as 1-1.2, as pyserial names it; any other name or URL is a port itself.

    Raises PortError where nothing is at the location.
    """
    if not _USB_LOCATION.fullmatch(place):
        return place
    for port in comports():
        if (port.location or "").partition(":")[0] == place:  # behind it the interface of a USB device
            return str(port.device)
    raise PortError(
        f"nothing is connected at the USB location {place}",
        hint="connect it; `python -m serial.tools.list_ports -v` tells the locations",
    )


def is_connected(place: str) -> bool:
    """Whether there is a port at this place: a device name, a URL or a USB location."""
    with suppress(PortError):
        port = port_at(place)
        if "://" not in port:  # to open it would reset the board
            return any(os.path.realpath(port) == os.path.realpath(found.device) for found in comports())
        with open_port(port):
            return True
    return False
