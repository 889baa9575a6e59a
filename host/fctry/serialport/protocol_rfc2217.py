"""A pyserial port at the other end of a network: `rfc2217://HOST:PORT`, quick enough for esptool.

pyserial's own client renegotiates every line setting at each change of a timeout and sleeps 50 to 150 ms while it
does; esptool changes the timeout hundreds of times. This one sends a setting only when it differs from what the
server has, and wakes up when the answer arrives. It takes the same URLs; `fctry.serialport.register` makes pyserial
use it (the name of this module is what pyserial looks for).

URL options, after a `?` and joined by `&`: `ign_set_control` (do not wait for answers about DTR, RTS, flow control
and break), `poll_modem` (ask for CTS, DSR, RI and CD when they are read), `timeout=SECONDS` (for each answer of the
server, default 3), `logging=LEVEL` (accepted, without effect).
"""

from __future__ import annotations

import socket
from typing import Any
from urllib.parse import parse_qs, urlsplit

import serial
from serial.rfc2217 import RFC2217_PARITY_MAP, RFC2217_STOPBIT_MAP

from fctry.serialport.com_port import Control, ModemState, Purge, Request, pack_baudrate
from fctry.serialport.rfc2217_link import Link, OpenError

NETWORK_TIMEOUT_S = 3.0
CONNECT_TIMEOUT_S = 5.0
MODEM_STATE_AGE_S = 0.3  # with `poll_modem`: ask again when the last notification is older

_FLOW = {
    (False, False): Control.FLOW_NONE,
    (True, False): Control.FLOW_XON_XOFF,
    (False, True): Control.FLOW_HARDWARE,
}


class Serial(serial.SerialBase):
    """A serial port behind an RFC2217 server, with the interface of every pyserial port.

    `write_timeout` is accepted and without effect: TCP takes what is written. Threads may read and write at the
    same time.
    """

    _link: Link | None = None

    def open(self) -> None:
        """Connect, agree on RFC2217, and set up the line. Raises OpenError with the reason and the remedy."""
        if self.port is None:
            raise serial.SerialException("Port must be configured before it can be used.")
        if self.is_open:
            raise serial.SerialException("Port is already open.")
        host, port = self._parse_url(self.port)
        self._applied: dict[Request, bytes] = {}  # line settings that the server has
        requests = self._changed_settings()
        self._link = Link(
            _connect(self.port, host, port),
            self.port,
            timeout_s=self._network_timeout_s,
            ignores_control_answers=self._ignores_control_answers,
        )
        self.is_open = True
        try:
            self._link.negotiate()
            if not self.dsrdtr:
                requests.append(_line(Control.DTR_ON, self.dtr))
            if not self.rtscts:
                requests.append(_line(Control.RTS_ON, self.rts))
            requests += [_purge(Purge.RECEIVE), _purge(Purge.TRANSMIT)]
            self._link.request(requests)
        except BaseException as error:
            refusal = self._link.refusal(error) if isinstance(error, serial.SerialException) else error
            self.close()
            raise refusal from None

    def close(self) -> None:
        """Close the connection. Without effect on a closed port."""
        self.is_open = False
        link, self._link = self._link, None
        if link is not None:
            link.close()

    def _parse_url(self, url: str) -> tuple[str, int]:
        parts = urlsplit(url)
        self._ignores_control_answers = False
        self._modem_state_age_s: float | None = None
        self._network_timeout_s = NETWORK_TIMEOUT_S
        try:
            if parts.scheme != "rfc2217" or not parts.hostname or parts.port is None:
                raise ValueError(f"this is none: {url!r}")
            for name, values in parse_qs(parts.query, keep_blank_values=True).items():
                if name == "ign_set_control":
                    self._ignores_control_answers = True
                elif name == "poll_modem":
                    self._modem_state_age_s = MODEM_STATE_AGE_S
                elif name == "timeout":
                    self._network_timeout_s = float(values[0])
                elif name != "logging":
                    raise ValueError(f"unknown option: {name!r}")
        except ValueError as error:
            raise serial.SerialException(
                f'expected "rfc2217://<host>:<port>[?option[&option...]]": {error}'
            ) from error
        return parts.hostname, parts.port

    # -- data

    @property
    def in_waiting(self) -> int:
        """Bytes that can be read at once."""
        return self._open_link.in_waiting

    def read(self, size: int = 1, /) -> bytes:
        """Up to `size` bytes: fewer when `timeout` passes, or after `cancel_read`.

        Raises SerialException when the connection is lost and nothing is left to read.
        """
        return self._open_link.read(size, self.timeout)

    def cancel_read(self) -> None:
        """Make a `read` that waits in another thread return what it has."""
        self._open_link.cancel_read()

    def cancel_write(self) -> None:
        """Without effect: TCP takes what is written, so no `write` waits."""

    def write(self, data: Any, /) -> int:
        """Send bytes. Returns their number. Raises SerialException when the connection is lost."""
        data = bytes(data)
        self._open_link.write(data)
        return len(data)

    def reset_input_buffer(self) -> None:
        """Drop what was received, here and at the server. What the server sends after that stays."""
        self._open_link.request([_purge(Purge.RECEIVE)])

    def reset_output_buffer(self) -> None:
        """Drop what the server has not sent on to the serial line yet."""
        self._open_link.request([_purge(Purge.TRANSMIT)])

    # -- lines; pyserial's base class calls the _update ones when a property is set

    def _update_rts_state(self) -> None:
        self._open_link.request([_line(Control.RTS_ON, self.rts)])

    def _update_dtr_state(self) -> None:
        self._open_link.request([_line(Control.DTR_ON, self.dtr)])

    def _update_break_state(self) -> None:
        self._open_link.request([_line(Control.BREAK_ON, self.break_condition)])

    @property
    def cts(self) -> bool:
        """Clear To Send."""
        return self._is_on(ModemState.CTS)

    @property
    def dsr(self) -> bool:
        """Data Set Ready."""
        return self._is_on(ModemState.DSR)

    @property
    def ri(self) -> bool:
        """Ring Indicator."""
        return self._is_on(ModemState.RI)

    @property
    def cd(self) -> bool:
        """Carrier Detect."""
        return self._is_on(ModemState.CD)

    def _is_on(self, line: ModemState) -> bool:
        return line in self._open_link.modem_state(self._modem_state_age_s)

    # -- settings

    def _reconfigure_port(self) -> None:
        """Called by pyserial's base class after any change of a setting, timeouts too."""
        if requests := self._changed_settings():
            try:
                self._open_link.request(requests)
            except serial.SerialException:
                self._applied.clear()  # unknown which of them the server took
                raise

    def _changed_settings(self) -> list[tuple[Request, bytes]]:
        """Requests for the settings that the server does not have yet."""
        if not 0 < self.baudrate < 2**32:
            raise ValueError(f"invalid baudrate: {self.baudrate!r}")
        if self.rtscts and self.xonxoff:
            raise ValueError("xonxoff and rtscts together are not supported")
        wanted = {
            Request.SET_BAUDRATE: pack_baudrate(self.baudrate),
            Request.SET_DATASIZE: bytes([self.bytesize]),
            Request.SET_PARITY: bytes([RFC2217_PARITY_MAP[self.parity]]),
            Request.SET_STOPSIZE: bytes([RFC2217_STOPBIT_MAP[self.stopbits]]),
            Request.SET_CONTROL: bytes([_FLOW[bool(self.xonxoff), bool(self.rtscts)]]),
        }
        changed = [item for item in wanted.items() if self._applied.get(item[0]) != item[1]]
        self._applied.update(changed)
        return changed

    @property
    def _open_link(self) -> Link:
        if self._link is None:
            raise serial.PortNotOpenError
        return self._link


def _connect(url: str, host: str, port: int) -> socket.socket:
    try:
        return socket.create_connection((host, port), timeout=CONNECT_TIMEOUT_S)
    except ConnectionRefusedError as error:
        raise OpenError(
            f"could not open port {url}: nobody listens there",
            "Start the board's server first, and use the port that it names.",
        ) from error
    except OSError as error:
        raise OpenError(
            f"could not open port {url}: {error}", "Check the host's name and the network."
        ) from error


def _line(on: Control, is_on: bool) -> tuple[Request, bytes]:
    """Request for an output line or break; in RFC 2217, OFF is the code after ON."""
    return Request.SET_CONTROL, bytes([on if is_on else on + 1])


def _purge(what: Purge) -> tuple[Request, bytes]:
    return Request.PURGE_DATA, bytes([what])
