"""The client's end of an RFC2217 connection: agree on the options, send requests, wait for their answers.

A thread reads the socket; whoever waits is woken by what it reads, so nothing here sleeps or polls.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections import deque
from collections.abc import Sequence

import serial

from fctry.serialport.com_port import ANSWER, ModemState, Purge, Request, message
from fctry.serialport.telnet import Data, Event, Negotiation, Option, Options, Parser, Subnegotiation, escape

CLOSE_TIMEOUT_S = 0.3  # for the server to release the port, so that the next open does not find it busy
RECEIVE_BYTES = 65536

_OPTIONS = (Option.BINARY, Option.SUPPRESS_GO_AHEAD, Option.COM_PORT)

Requests = Sequence[tuple[Request, bytes]]


class OpenError(serial.SerialException):
    """The port could not be opened. `hint` says what to do; it is part of the text too, for users of esptool."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(f"{message}. {hint}")
        self.message = message
        self.hint = hint


class Link:
    """One connection. Threads may use it at the same time; every failure is a serial.SerialException.

    `port` names it in errors. `timeout_s` is for each answer of the server. With `ignores_control_answers`
    nothing waits for the answers to SET_CONTROL, which some servers never give.
    """

    def __init__(
        self, connection: socket.socket, port: str, *, timeout_s: float, ignores_control_answers: bool
    ) -> None:
        connection.settimeout(None)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection = connection
        self._port = port
        self._timeout_s = timeout_s
        self._ignores_control_answers = ignores_control_answers
        self._sending = threading.Lock()  # the order on the wire is the order in `_awaited`
        self._changed = threading.Condition()  # guards what the reader thread writes, all of the following
        self._telnet = Options(ours=_OPTIONS, theirs=_OPTIONS)
        self._received = bytearray()
        self._lost = ""  # why the connection ended
        self._is_broken = False  # nothing can be sent any more; there may be more to read
        self._is_cancelled = False
        self._awaited: dict[int, deque[bytes]] = {}  # values of requests that the server has not answered
        self._refused: list[str] = []
        self._modem_state: ModemState | None = None
        self._modem_state_time = 0.0
        self._reader = threading.Thread(target=self._read_loop, name=f"rfc2217 {port}", daemon=True)
        self._reader.start()

    def negotiate(self) -> None:
        """Agree with the server to speak RFC2217. Raises OpenError when it is busy or is no such server."""
        with self._changed:
            requests = self._telnet.ask()
        self._send(requests)
        with self._changed:
            self._changed.wait_for(lambda: self._lost or self._is_agreed, self._timeout_s)
            if self._lost:
                raise self._lost_error()
            if not self._is_agreed:
                raise OpenError(
                    f"could not open port {self._port}: no RFC2217 answer within {self._timeout_s:g} s",
                    "Another program may be using the port, or no RFC2217 server listens there.",
                )

    def refusal(self, error: serial.SerialException) -> serial.SerialException:
        """Why the port could not be opened, when it failed with `error`: in the server's words if it went away."""
        with self._changed:
            # what it said before that may still be on its way to the reader, although nothing can be sent any more
            self._changed.wait_for(lambda: self._lost or not self._is_broken, self._timeout_s)
            if not self._lost:
                return error
            said = self._received.decode("utf-8", "replace").strip()
        reason = f"the server refused: {said}" if said else f"the connection was lost: {self._lost}"
        return OpenError(
            f"could not open port {self._port}: {reason}",
            "If it is busy, close the program that uses it (a monitor, another flasher) and try again.",
        )

    @property
    def _is_agreed(self) -> bool:
        return not self._lost and Option.COM_PORT in self._telnet.ours

    def close(self) -> None:
        """Close, after giving the server a moment to release the port."""
        try:
            self._connection.shutdown(socket.SHUT_WR)
            with self._changed:
                self._changed.wait_for(lambda: self._lost, CLOSE_TIMEOUT_S)
            self._connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the server was quicker
        self._reader.join()
        self._connection.close()

    # -- the serial line's data

    @property
    def in_waiting(self) -> int:
        """Bytes that can be read at once."""
        with self._changed:
            return len(self._received)

    def read(self, size: int, timeout_s: float | None) -> bytes:
        """Up to `size` bytes: fewer when the time is over, after `cancel_read`, or when the connection is lost.

        Raises SerialException when it is lost and nothing is left to read.
        """
        with self._changed:
            self._is_cancelled = False
            self._changed.wait_for(
                lambda: len(self._received) >= size or self._lost or self._is_cancelled, timeout_s
            )
            if self._lost and size and not self._received:
                raise self._lost_error()
            data = bytes(self._received[:size])
            del self._received[:size]
            return data

    def cancel_read(self) -> None:
        """Make a `read` that waits in another thread return what it has."""
        with self._changed:
            self._is_cancelled = True
            self._changed.notify_all()

    def write(self, data: bytes) -> None:
        """Send bytes to the serial line."""
        self._send(escape(data))

    # -- requests

    def request(self, requests: Requests) -> None:
        """Send requests in one go and wait until the server has answered each as asked for."""
        with self._sending:
            with self._changed:
                for request, value in requests:
                    if request != Request.SET_CONTROL or not self._ignores_control_answers:
                        self._awaited.setdefault(request + ANSWER, deque()).append(value)
            self._send_now(b"".join(message(request, value) for request, value in requests))
        with self._changed:
            is_done = self._changed.wait_for(
                lambda: self._lost or not any(self._awaited.values()), self._timeout_s
            )
            unanswered = [Request(code - ANSWER).name for code, values in self._awaited.items() if values]
            self._awaited.clear()
            refused, self._refused = self._refused, []
        if self._lost:
            raise self._lost_error()
        if refused:
            raise serial.SerialException(f"{self._port}: the server refused {', '.join(refused)}")
        if not is_done:
            cure = "; if the server never answers it, append ?ign_set_control to the URL"
            raise serial.SerialException(
                f"{self._port}: no answer to {', '.join(unanswered)} within {self._timeout_s:g} s"
                + cure * (unanswered == [Request.SET_CONTROL.name])
            )

    def modem_state(self, max_age_s: float | None) -> ModemState:
        """The input lines as last notified; asked for when that was never, or longer than `max_age_s` ago."""
        asked_at = time.monotonic()
        with self._changed:
            is_old = max_age_s is not None and asked_at - self._modem_state_time > max_age_s
            is_asking = self._modem_state is None or is_old
        if is_asking:
            self._send(message(Request.NOTIFY_MODEMSTATE))
        with self._changed:
            if is_asking:
                self._changed.wait_for(
                    lambda: self._modem_state_time >= asked_at or self._lost, self._timeout_s
                )
            if self._modem_state is None:
                raise serial.SerialException(f"{self._port}: the server does not tell its input lines")
            return self._modem_state

    # -- the connection

    def _lost_error(self) -> serial.SerialException:
        return serial.SerialException(f"connection to {self._port} lost: {self._lost}")

    def _send(self, data: bytes) -> None:
        with self._sending:
            self._send_now(data)

    def _send_now(self, data: bytes) -> None:
        try:
            self._connection.sendall(data)
        except OSError as error:
            self._is_broken = True
            raise serial.SerialException(f"connection to {self._port} lost: {error}") from error

    def _read_loop(self) -> None:
        parser = Parser()
        lost = "the server closed it"
        try:
            while received := self._connection.recv(RECEIVE_BYTES):
                events = parser.feed(received)
                with self._changed:
                    answer = b"".join(self._receive(event) for event in events)
                    self._changed.notify_all()
                if answer:
                    with contextlib.suppress(serial.SerialException):  # there may be more to read: the reason
                        self._send(answer)
        except OSError as error:  # SerialException is one
            lost = str(error)
        with self._changed:
            self._lost = lost
            self._changed.notify_all()

    def _receive(self, event: Event) -> bytes:
        """Take in one event. Returns what to send back."""
        if isinstance(event, Data):
            self._received += event.data
        elif isinstance(event, Negotiation):
            return self._telnet.receive(event)
        elif isinstance(event, Subnegotiation) and event.option == Option.COM_PORT and event.payload:
            self._receive_com_port(event.payload[0], event.payload[1:])
        return b""

    def _receive_com_port(self, code: int, value: bytes) -> None:
        if code == Request.NOTIFY_MODEMSTATE + ANSWER and value:
            self._modem_state = ModemState(value[0] & 0xF0)
            self._modem_state_time = time.monotonic()
        elif awaited := self._awaited.get(code):
            expected = awaited.popleft()
            if value[: len(expected)] != expected:
                name = Request(code - ANSWER).name
                self._refused.append(f"{name} {expected.hex()} (it answered {value.hex()})")
            if code == Request.PURGE_DATA + ANSWER and expected[0] != Purge.TRANSMIT:
                # here, not when the caller wakes up: what follows the answer was sent after the purge
                self._received.clear()
