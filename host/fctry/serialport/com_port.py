"""The Telnet COM-PORT option: the numbers of RFC 2217, without I/O.

A client's request has the code of `Request`, the server's answer to it that code plus 100.
Source: RFC 2217, "Telnet Com Port Control Option".
"""

from __future__ import annotations

import struct
from enum import IntEnum, IntFlag

from fctry.serialport.telnet import Option, subnegotiation

_BAUDRATE = struct.Struct("!I")
ANSWER = 100


class Request(IntEnum):
    """What a client asks for."""

    SIGNATURE = 0
    SET_BAUDRATE = 1
    SET_DATASIZE = 2
    SET_PARITY = 3
    SET_STOPSIZE = 4
    SET_CONTROL = 5
    NOTIFY_LINESTATE = 6
    NOTIFY_MODEMSTATE = 7
    FLOWCONTROL_SUSPEND = 8
    FLOWCONTROL_RESUME = 9
    SET_LINESTATE_MASK = 10
    SET_MODEMSTATE_MASK = 11
    PURGE_DATA = 12


class Control(IntEnum):
    """Values of SET_CONTROL. The REQUEST ones ask for the state and are answered with one of those that follow."""

    REQUEST_FLOW = 0
    FLOW_NONE = 1
    FLOW_XON_XOFF = 2
    FLOW_HARDWARE = 3
    REQUEST_BREAK = 4
    BREAK_ON = 5
    BREAK_OFF = 6
    REQUEST_DTR = 7
    DTR_ON = 8
    DTR_OFF = 9
    REQUEST_RTS = 10
    RTS_ON = 11
    RTS_OFF = 12
    REQUEST_FLOW_IN = 13
    FLOW_IN_NONE = 14


class Purge(IntEnum):
    """Values of PURGE_DATA, seen from the server: `RECEIVE` is what came from the serial line."""

    RECEIVE = 1
    TRANSMIT = 2
    BOTH = 3


class ModemState(IntFlag):
    """Value of a NOTIFY_MODEMSTATE: the input lines."""

    CTS = 0x10
    DSR = 0x20
    RI = 0x40
    CD = 0x80


def message(code: int, value: bytes | int = b"") -> bytes:
    """The subnegotiation as it travels. A value given as an integer is one byte."""
    payload = bytes([value]) if isinstance(value, int) else value
    return subnegotiation(Option.COM_PORT, bytes([code]) + payload)


def pack_baudrate(baud: int) -> bytes:
    """Value of SET_BAUDRATE, baud in 1..2**32-1; 0 asks for the current one."""
    return _BAUDRATE.pack(baud)


def unpack_baudrate(value: bytes) -> int:
    """The baud rate in a SET_BAUDRATE; 0 (asks for the current one) if the value is cut off."""
    return int(_BAUDRATE.unpack(value[:4])[0]) if len(value) >= 4 else 0
