"""Open a serial port: a device name, or any URL that pyserial takes."""

from __future__ import annotations

import errno
import re

import serial

from fctry.errors import PortError
from fctry.serialport.rfc2217_link import OpenError

ROM_BAUD = 115200
_HANDLERS = "fctry.serialport"
_AGAIN = re.compile(r"could not open port \S+: ", re.IGNORECASE)


def register() -> None:
    """Make pyserial use the fast RFC2217 client for every `rfc2217://` URL in this process. Again is harmless."""
    if _HANDLERS not in serial.protocol_handler_packages:
        serial.protocol_handler_packages.insert(0, _HANDLERS)


def open_port(port: str, *, baud: int = ROM_BAUD) -> serial.Serial:
    """Open `port` for this process alone. Raises PortError that says whether it is absent, busy or forbidden.

    What a URL names has the interface of serial.Serial, and is of another class.
    """
    register()
    try:
        return serial.serial_for_url(port, baudrate=baud, exclusive=True)
    except OpenError as error:
        raise PortError(error.message, hint=error.hint) from error
    except (serial.SerialException, ValueError) as error:
        raise PortError(f"could not open port {port}: {_reason(error)}", hint=_hint(error, port)) from error


def _reason(error: Exception) -> str:
    """What the system said, or pyserial, without the port's name that it says again."""
    match error.__context__:
        case Exception(args=(int(), str(said))):
            return said
    return _AGAIN.sub("", str(error))


def _hint(error: Exception, port: str) -> str:
    number = getattr(error, "errno", None)
    if number in (errno.EBUSY, errno.EAGAIN) or "exclusively lock" in str(error):
        return "another program uses the port: close it (a monitor, another flasher) and try again"
    if number == errno.EACCES:
        return "add yourself to the group that owns the port (dialout or uucp), then log in again"
    if "://" in port:
        return "check the URL; a board of this project is at rfc2217://HOST:PORT"
    return "connect the board, and list the ports with `python -m serial.tools.list_ports`"
