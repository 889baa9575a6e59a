"""The server's end of an RFC2217 connection, without I/O: bytes of the client in, steps to take out.

Of the serial line only the output lines DTR and RTS, the data and the baud rate mean anything to a simulated board;
the other settings are kept, so that a client that asks for them is told what it set.
Source: RFC 2217.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from fctry.serialport.com_port import (
    ANSWER,
    Control,
    ModemState,
    Request,
    message,
    pack_baudrate,
    unpack_baudrate,
)
from fctry.serialport.telnet import Data, Event, Negotiation, Option, Options, Parser

SIGNATURE = b"fctry board"

# the input lines that a USB adapter with nothing on them would not report, but that clients wait for
_MODEM_STATE = ModemState.CTS | ModemState.DSR | ModemState.CD


class Line(Enum):
    """The output lines of the port."""

    DTR = "DTR"
    RTS = "RTS"


@dataclass(frozen=True)
class Send:
    """Send these bytes to the client."""

    data: bytes


@dataclass(frozen=True)
class Received:
    """These bytes go out on the serial line, to the chip."""

    data: bytes


@dataclass(frozen=True)
class SetLine:
    """The client asserts an output line, or releases it."""

    line: Line
    is_asserted: bool


@dataclass(frozen=True)
class SetBaud:
    """The client sets the baud rate."""

    baud: int


Step = Send | Received | SetLine | SetBaud

_SET_LINE = {
    Control.DTR_ON: SetLine(Line.DTR, True),
    Control.DTR_OFF: SetLine(Line.DTR, False),
    Control.RTS_ON: SetLine(Line.RTS, True),
    Control.RTS_OFF: SetLine(Line.RTS, False),
}
# a SET_CONTROL that asks -> those that set what it asks for; the first is the state of a new connection
_CONTROL_GROUPS = {
    Control.REQUEST_FLOW: (Control.FLOW_NONE, Control.FLOW_XON_XOFF, Control.FLOW_HARDWARE),
    Control.REQUEST_BREAK: (Control.BREAK_OFF, Control.BREAK_ON),
    Control.REQUEST_DTR: (Control.DTR_OFF, Control.DTR_ON),
    Control.REQUEST_RTS: (Control.RTS_OFF, Control.RTS_ON),
    Control.REQUEST_FLOW_IN: (Control.FLOW_IN_NONE,),
}
_GROUP_OF = {control: request for request, group in _CONTROL_GROUPS.items() for control in group}


class Session:
    """One client's connection."""

    def __init__(self, baud: int = 115200) -> None:
        self._parser = Parser()
        self._telnet = Options(
            ours=(Option.BINARY, Option.ECHO, Option.SUPPRESS_GO_AHEAD, Option.COM_PORT),
            theirs=(Option.BINARY, Option.SUPPRESS_GO_AHEAD, Option.COM_PORT),
        )
        self._has_told_modem_state = False
        self._baud = baud
        self._one_byte_settings = {Request.SET_DATASIZE: 8, Request.SET_PARITY: 1, Request.SET_STOPSIZE: 1}
        self._controls = {request: group[0] for request, group in _CONTROL_GROUPS.items()}

    def start(self) -> list[Step]:
        """What to do when the client has connected."""
        return [Send(self._telnet.ask())]

    def feed(self, received: bytes) -> list[Step]:
        """What to do about these bytes, in this order; an answer is sent after what it confirms is done."""
        return [step for event in self._parser.feed(received) for step in self._steps(event)]

    def _steps(self, event: Event) -> list[Step]:
        if isinstance(event, Data):
            return [Received(event.data)]
        steps: list[Step] = []
        if event.option == Option.COM_PORT and not self._has_told_modem_state:
            # unasked, because clients wait for it; as late as here, because only now is it known to be a client
            # that speaks RFC2217 (pyserial takes our request for an answer, and then sends none of its own)
            self._has_told_modem_state = True
            steps.append(_notify_modem_state())
        if isinstance(event, Negotiation):
            answer = self._telnet.receive(event)
            return [*steps, Send(answer)] if answer else steps
        if event.option == Option.COM_PORT and event.payload:
            return steps + self._com_port_steps(event.payload[0], event.payload[1:])
        return steps

    def _com_port_steps(self, code: int, value: bytes) -> list[Step]:
        if code == Request.SET_BAUDRATE:
            return self._set_baud(unpack_baudrate(value))
        if code == Request.SET_CONTROL and value:
            return self._set_control(value[0])
        if code == Request.NOTIFY_MODEMSTATE:
            return [_notify_modem_state()]
        if code == Request.NOTIFY_LINESTATE:
            return [Send(message(code + ANSWER, 0))]
        if code == Request.SIGNATURE:
            return [] if value else [Send(message(code + ANSWER, SIGNATURE))]
        if code in self._one_byte_settings and value:
            request = Request(code)
            self._one_byte_settings[request] = value[0] or self._one_byte_settings[request]
            return [Send(message(code + ANSWER, self._one_byte_settings[request]))]
        if code in (Request.PURGE_DATA, Request.SET_LINESTATE_MASK, Request.SET_MODEMSTATE_MASK):
            return [
                Send(message(code + ANSWER, value[:1]))
            ]  # nothing is ever kept here that a purge could drop
        return []

    def _set_baud(self, baud: int) -> list[Step]:
        steps: list[Step] = []
        if baud:
            self._baud = baud
            steps.append(SetBaud(baud))
        return [*steps, Send(message(Request.SET_BAUDRATE + ANSWER, pack_baudrate(self._baud)))]

    def _set_control(self, code: int) -> list[Step]:
        steps: list[Step] = []
        if code in _GROUP_OF:
            control = Control(code)
            self._controls[_GROUP_OF[control]] = control
            if control in _SET_LINE:
                steps.append(_SET_LINE[control])
        elif code in self._controls:
            control = self._controls[Control(code)]
        else:
            return []
        return [*steps, Send(message(Request.SET_CONTROL + ANSWER, control))]


def _notify_modem_state() -> Send:
    return Send(message(Request.NOTIFY_MODEMSTATE + ANSWER, _MODEM_STATE))
