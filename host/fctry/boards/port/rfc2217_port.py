"""Serves one serial device over RFC2217, on loopback, to one client at a time."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

from fctry.boards.port import Wire
from fctry.boards.port.rfc2217_session import Line, Received, Send, Session, SetBaud, SetLine, Step
from fctry.errors import PortError
from fctry.serialport.telnet import escape

LOOPBACK = "127.0.0.1"
HANDOVER_S = 0.3  # how long a new client waits for one that is just leaving
RECEIVE_BYTES = 65536
QUEUE_BYTES = 1 << 20  # what waits for a client that does not read: more than a loader has in flight
REFUSED_MAX = 8  # clients that are being told so at the same time
BUSY = b"busy: another client is connected to this board\r\n"


class Rfc2217Port:
    """A listening socket with a thread that accepts, and two threads for the client: one reads, one writes.

    Raises PortError if the TCP port is taken. When a client leaves, DTR and RTS are released, as a USB adapter does.
    """

    def __init__(self, port: int = 0) -> None:
        try:
            self._listener = socket.create_server((LOOPBACK, port))
        except (OSError, OverflowError) as error:
            raise PortError(
                f"cannot listen on {LOOPBACK}:{port}: {error}",
                hint="choose another port with --port; 0 takes one that is free",
            ) from error
        self.port: int = self._listener.getsockname()[1]
        self._outbox = _Outbox()
        self._state = threading.Lock()  # guards the three below
        self._away_until_s = 0.0
        self._client: socket.socket | None = None
        self._is_closed = False
        self._is_free = threading.Event()
        self._is_free.set()
        self._acceptor: threading.Thread | None = None
        self._client_thread: threading.Thread | None = None
        self._refusing = threading.BoundedSemaphore(REFUSED_MAX)

    @property
    def url(self) -> str:
        """The port, as pyserial and esptool take it."""
        return f"rfc2217://{LOOPBACK}:{self.port}"

    def start(self, wire: Wire) -> None:
        """Begin to accept clients."""
        self._acceptor = threading.Thread(
            target=self._accept_loop, args=(wire,), name=f"accept :{self.port}", daemon=True
        )
        self._acceptor.start()

    def send(self, data: bytes) -> None:
        """Send what the device says to the client. With none connected it is lost, as on a wire.

        It waits for a client that does not read, until that client has something to say itself, or leaves.
        """
        self._outbox.put(escape(data))

    def vanish(self, seconds: float) -> None:
        """Disconnect the client, and each that comes within the next `seconds`."""
        with self._state:
            self._away_until_s = time.monotonic() + seconds
            client = self._client
        if client is not None:
            _shut_down(client)

    def close(self) -> None:
        """Disconnect the client and stop listening."""
        with self._state:
            self._is_closed = True
            client = self._client
        if client is not None:
            _shut_down(client)
        if self._acceptor is not None:
            with contextlib.suppress(OSError):  # wakes `accept`, which a mere close does not do everywhere
                socket.create_connection((LOOPBACK, self.port), timeout=1).close()
            self._acceptor.join()
        self._listener.close()
        if self._client_thread is not None:
            self._client_thread.join()

    def _accept_loop(self, wire: Wire) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                if self._is_closed:
                    return
                continue  # the client left before it was accepted
            if not self._is_closed and not self._is_free.wait(HANDOVER_S):
                self._refuse(client)
                continue
            with self._state:
                if self._is_closed:
                    client.close()
                    return
                if time.monotonic() < self._away_until_s:
                    client.close()
                    continue
                self._client = client
            self._is_free.clear()
            self._client_thread = _start(self._serve, client, wire, name=f"client of :{self.port}")
            if self._client_thread is None:
                self._release(client)

    def _serve(self, client: socket.socket, wire: Wire) -> None:
        session = Session()
        lines = {Line.DTR: False, Line.RTS: False}
        self._outbox.open()
        writer = _start(self._outbox.drain, client, name=f"to client of :{self.port}")
        try:
            if writer is None:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._take(session.start(), lines, wire)
            while received := client.recv(RECEIVE_BYTES):
                self._take(session.feed(received), lines, wire)
        except OSError:
            pass  # gone without a goodbye
        finally:
            _shut_down(client)
            self._outbox.close()
            if writer is not None:
                writer.join()
            try:
                wire.set_lines(rts=False, dtr=False)
            finally:
                self._release(client)

    def _release(self, client: socket.socket) -> None:
        """The port is free for the next one."""
        with self._state:
            self._client = None
        client.close()
        self._is_free.set()

    def _take(self, steps: list[Step], lines: dict[Line, bool], wire: Wire) -> None:
        with self._outbox.unblocked():
            for step in steps:
                if isinstance(step, Send):
                    self._outbox.answer(step.data)
                elif isinstance(step, Received):
                    wire.receive(step.data)
                elif isinstance(step, SetLine):
                    lines[step.line] = step.is_asserted
                    wire.set_lines(rts=lines[Line.RTS], dtr=lines[Line.DTR])
                elif isinstance(step, SetBaud):
                    wire.set_baud(step.baud)

    def _refuse(self, client: socket.socket) -> None:
        """Tell a second client so, without making the next one wait for it."""
        if self._refusing.acquire(blocking=False):
            if _start(self._tell_busy, client, name=f"refused at :{self.port}"):
                return
            self._refusing.release()
        client.close()

    def _tell_busy(self, client: socket.socket) -> None:
        # a close with unread input would reset the connection, and lose the words
        with client, contextlib.suppress(OSError):
            client.settimeout(HANDOVER_S)
            client.sendall(BUSY)
            client.shutdown(socket.SHUT_WR)
            for _ in range(REFUSED_MAX):  # not for as long as it drips
                if not client.recv(RECEIVE_BYTES):
                    break
        self._refusing.release()


class _Outbox:
    """What goes to the client, in order: sent at once where the socket takes it, else by the writer's thread.

    It waits for room, so that nothing is lost for a client that reads slowly; but not while the client's own words are
    being acted on, since that may need a lock which a waiting sender holds: then what does not fit is lost.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()  # guards the following
        self._queue = bytearray()
        self._is_open = False
        self._is_unblocked = False

    def open(self) -> None:
        """A client is there."""
        with self._changed:
            self._queue.clear()
            self._is_open = True

    def close(self) -> None:
        """It is gone."""
        with self._changed:
            self._is_open = False
            self._changed.notify_all()

    @contextlib.contextmanager
    def unblocked(self) -> Iterator[None]:
        """Nobody waits for room in here."""
        with self._changed:
            self._is_unblocked = True
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._is_unblocked = False

    def put(self, data: bytes) -> None:
        """Add to what is to be sent; lost with no client."""
        with self._changed:
            self._changed.wait_for(
                lambda: len(self._queue) < QUEUE_BYTES or self._is_unblocked or not self._is_open
            )
            self._add(data, QUEUE_BYTES)

    def answer(self, data: bytes) -> None:
        """Add what the client waits for; there is room for it also behind a device that prints without end."""
        with self._changed:
            self._add(data, 2 * QUEUE_BYTES)

    def _add(self, data: bytes, below_bytes: int) -> None:
        if self._is_open and len(self._queue) < below_bytes:
            self._queue += data
            self._changed.notify_all()

    def drain(self, client: socket.socket) -> None:
        """Send until the outbox is closed or the client is gone."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or not self._is_open)
                if not self._is_open:
                    return
                data = bytes(self._queue)
                self._queue.clear()
                self._changed.notify_all()
            with contextlib.suppress(OSError):  # the thread that reads notices that it is gone
                client.sendall(data)


def _shut_down(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # not connected any more
        connection.shutdown(socket.SHUT_RDWR)


def _start(target: Callable[..., None], *arguments: object, name: str) -> threading.Thread | None:
    """A thread that runs, or None when the machine has no more of them."""
    thread = threading.Thread(target=target, args=arguments, name=name, daemon=True)
    try:
        thread.start()
    except RuntimeError:
        return None
    return thread
