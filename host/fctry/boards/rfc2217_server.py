"""Serves one serial device over RFC2217, on loopback, to one client at a time."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Protocol

from fctry.boards.rfc2217_session import Line, Received, Send, Session, SetBaud, SetLine, Step
from fctry.errors import PortError
from fctry.serialport.telnet import escape

LOOPBACK = "127.0.0.1"
HANDOVER_S = 0.3  # how long a new client waits for one that is just leaving
RECEIVE_BYTES = 65536
BUSY = b"busy: another client is connected to this board\r\n"


class Device(Protocol):
    """What is at the other end of the serial line. Called from the client's thread."""

    def receive(self, data: bytes) -> None:
        """Take in what the client wrote."""

    def set_lines(self, *, rts: bool, dtr: bool) -> None:
        """The output lines of the port changed; True is asserted."""

    def set_baud(self, baud: int) -> None:
        """The client set its baud rate."""


class Rfc2217Server:
    """A listening socket, a thread that accepts, and a thread for the client.

    Raises PortError if the TCP port is taken. When a client leaves, DTR and RTS are released, as a USB adapter does.
    """

    def __init__(self, device: Device, port: int = 0) -> None:
        self._device = device
        try:
            self._listener = socket.create_server((LOOPBACK, port))
        except (OSError, OverflowError) as error:
            raise PortError(
                f"cannot listen on {LOOPBACK}:{port}: {error}",
                hint="choose another port with --port; 0 takes one that is free",
            ) from error
        self.port: int = self._listener.getsockname()[1]
        self._sending = threading.Lock()  # may be held for long by a client that does not read
        self._state = threading.Lock()  # guards the two below
        self._client: socket.socket | None = None
        self._is_closed = False
        self._is_free = threading.Event()
        self._is_free.set()
        self._acceptor = threading.Thread(target=self._accept_loop, name=f"accept :{self.port}", daemon=True)
        self._client_thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to accept clients."""
        self._acceptor.start()

    def send(self, data: bytes) -> None:
        """Send what the device says to the client. With none connected it is lost, as on a wire."""
        self._send_raw(escape(data))

    def close(self) -> None:
        """Disconnect the client and stop listening."""
        with self._state:
            self._is_closed = True
            client = self._client
        if client is not None:
            _shut_down(client)
        if self._acceptor.ident is not None:
            with contextlib.suppress(OSError):  # wakes `accept`, which a mere close does not do everywhere
                socket.create_connection((LOOPBACK, self.port), timeout=1).close()
            self._acceptor.join()
        self._listener.close()
        if self._client_thread is not None:
            self._client_thread.join()

    def _accept_loop(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                continue  # the client left before it was accepted
            if not self._is_closed and not self._is_free.wait(HANDOVER_S):
                _refuse(client)
                continue
            with self._state:
                if self._is_closed:
                    client.close()
                    return
                self._client = client
            self._is_free.clear()
            self._client_thread = threading.Thread(
                target=self._serve, args=(client,), name=f"client of :{self.port}", daemon=True
            )
            self._client_thread.start()

    def _serve(self, client: socket.socket) -> None:
        session = Session()
        lines = {Line.DTR: False, Line.RTS: False}
        try:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._take(session.start(), lines)
            while received := client.recv(RECEIVE_BYTES):
                self._take(session.feed(received), lines)
        except OSError:
            pass  # gone without a goodbye
        finally:
            with self._state:
                self._client = None
            self._device.set_lines(rts=False, dtr=False)
            client.close()
            self._is_free.set()

    def _take(self, steps: list[Step], lines: dict[Line, bool]) -> None:
        answers = b""
        for step in steps:
            if isinstance(step, Send):
                answers += step.data
                continue
            if answers:  # before the device says anything new
                self._send_raw(answers)
                answers = b""
            if isinstance(step, Received):
                self._device.receive(step.data)
            elif isinstance(step, SetLine):
                lines[step.line] = step.is_asserted
                self._device.set_lines(rts=lines[Line.RTS], dtr=lines[Line.DTR])
            elif isinstance(step, SetBaud):
                self._device.set_baud(step.baud)
        if answers:
            self._send_raw(answers)

    def _send_raw(self, data: bytes) -> None:
        with self._sending:
            with self._state:
                client = self._client
            if client is not None:
                with contextlib.suppress(OSError):  # its thread notices by itself that it is gone
                    client.sendall(data)


def _shut_down(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # not connected any more
        connection.shutdown(socket.SHUT_RDWR)


def _refuse(client: socket.socket) -> None:
    """Say why, then hang up without losing the words: a close with unread input would reset the connection."""
    with client, contextlib.suppress(OSError):
        client.sendall(BUSY)
        client.shutdown(socket.SHUT_WR)
        client.settimeout(HANDOVER_S)
        while client.recv(RECEIVE_BYTES):
            pass
