"""The port, with clients that do not read: EN falls all the same, and what is queued is bounded."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from fctry.boards.port.rfc2217_port import BUSY, QUEUE_BYTES, Rfc2217Port
from fctry.boards.reset import Boot
from fctry.boards.served_board import ServedBoard

RTS_ON = b"\xff\xfa\x2c\x05\x0b\xff\xf0"  # COM-PORT-OPTION SET-CONTROL, RTS on: RFC 2217, section 3
DTR_ON = b"\xff\xfa\x2c\x05\x08\xff\xf0"
RTS_ANSWER = b"\xff\xfa\x2c\x69\x0b\xff\xf0"


class Flood:
    """A chip that prints without end, from a thread that holds the lock which its reset takes."""

    def __init__(self, port: Rfc2217Port) -> None:
        self._port = port
        self._lock = threading.Lock()
        self.sent_bytes = 0
        self.is_held = threading.Event()
        self.received = b""
        self._is_stopped = threading.Event()
        self._thread = threading.Thread(target=self._print, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._is_stopped.set()
        self._thread.join(20)

    def _print(self) -> None:
        while not self._is_stopped.is_set():
            with self._lock:
                if not self.is_held.is_set():
                    self._port.send(b"x" * 4096)
                    self.sent_bytes += 4096
            time.sleep(0.01 if self.is_held.is_set() else 0)  # gives others the lock

    def receive(self, data: bytes) -> None:
        with self._lock:
            self.received += data

    def set_lines(self, *, rts: bool, dtr: bool) -> None:
        with self._lock:
            if rts and not dtr:
                self.is_held.set()

    def set_baud(self, baud: int) -> None:
        pass


@pytest.fixture
def flood() -> Iterator[tuple[Flood, socket.socket]]:
    port = Rfc2217Port()
    chip = Flood(port)
    port.start(chip)
    address = port.url.removeprefix("rfc2217://").split(":")
    client = socket.create_connection((address[0], int(address[1])), timeout=20)
    client.recv(1)  # the server's first words: it is connected
    chip.start()
    yield chip, client
    client.close()
    chip.stop()
    port.close()


def is_stuck(chip: Flood) -> bool:
    """Whether the chip has been unable to print for a while: all buffers are full."""
    before = chip.sent_bytes
    time.sleep(0.3)
    return chip.sent_bytes == before


def wait_until_stuck(chip: Flood) -> None:
    wait_until(lambda: is_stuck(chip))


def wait_until(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("words", [RTS_ON, b"typed" * 100 + RTS_ON, b"typed" + DTR_ON + b"more" + RTS_ON])
def test_en_falls_while_the_client_does_not_read(flood: tuple[Flood, socket.socket], words: bytes) -> None:
    chip, client = flood
    wait_until_stuck(chip)
    client.sendall(words.replace(DTR_ON, b""))
    assert chip.is_held.wait(20)


def test_a_client_is_answered_however_much_waits_for_it(flood: tuple[Flood, socket.socket]) -> None:
    chip, client = flood
    wait_until_stuck(chip)
    client.sendall(b"typed")  # the kernel makes more room when its peer speaks
    wait_until_stuck(chip)
    client.sendall(RTS_ON + b"more")
    wait_until(lambda: chip.received == b"typedmore")  # and so the answer was given before
    received = b""
    while RTS_ANSWER not in received:  # fails by the socket's own time-out
        received = received[-len(RTS_ANSWER) :] + client.recv(1 << 16)


def test_what_waits_for_a_client_is_bounded(flood: tuple[Flood, socket.socket]) -> None:
    chip, client = flood
    wait_until_stuck(chip)
    client.settimeout(0.5)
    read = 0
    chip.is_held.set()
    while True:
        try:
            read += len(client.recv(65536))
        except TimeoutError:
            break
    socket_buffers_bytes = 32 << 20  # the kernel's, at most
    assert QUEUE_BYTES <= read <= QUEUE_BYTES + socket_buffers_bytes


def test_nothing_is_lost_for_a_client_that_reads_late(flood: tuple[Flood, socket.socket]) -> None:
    chip, client = flood
    wait_until_stuck(chip)
    client.settimeout(2)
    read = 0
    while read < chip.sent_bytes or not chip.is_held.is_set():
        read += client.recv(1 << 20).count(b"x")
        if chip.sent_bytes > 16 << 20:
            chip.is_held.set()
    assert read == chip.sent_bytes


def test_port_closes_while_the_client_does_not_read(flood: tuple[Flood, socket.socket]) -> None:
    chip, _ = flood
    wait_until_stuck(chip)
    closing = threading.Thread(target=chip._port.close, daemon=True)
    closing.start()
    closing.join(20)
    assert not closing.is_alive()


def connect(port: Rfc2217Port) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port.port), timeout=20)


class Bystander:
    """A chip that says nothing, and fails when it is told `fail`."""

    def __init__(self) -> None:
        self.received = b""

    def receive(self, data: bytes) -> None:
        self.received += data
        if b"fail" in data:
            raise ZeroDivisionError

    def set_lines(self, *, rts: bool, dtr: bool) -> None:
        if self.received.endswith(b"fail"):
            raise ZeroDivisionError

    def set_baud(self, baud: int) -> None:
        pass


@pytest.fixture
def quiet() -> Iterator[tuple[Bystander, Rfc2217Port]]:
    port = Rfc2217Port()
    chip = Bystander()
    port.start(chip)
    yield chip, port
    port.close()


def test_refused_clients_that_drip_do_not_keep_others_waiting(quiet: tuple[Bystander, Rfc2217Port]) -> None:
    _, port = quiet
    first = connect(port)
    first.recv(1)
    drips = [connect(port) for _ in range(4)]
    is_over = threading.Event()

    def drip() -> None:
        while not is_over.wait(0.05):
            for client in drips:
                with contextlib.suppress(OSError):
                    client.send(b".")

    dripping = threading.Thread(target=drip, daemon=True)
    dripping.start()
    for client in drips:
        assert client.recv(100) == BUSY
    first.close()
    began = time.monotonic()
    with connect(port) as after:
        assert after.recv(1) == b"\xff"  # telnet, not `busy`
    assert time.monotonic() - began < 2
    is_over.set()
    dripping.join()
    for client in drips:
        client.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_port_is_free_after_a_chip_failed_on_what_a_client_said(
    quiet: tuple[Bystander, Rfc2217Port],
) -> None:
    chip, port = quiet
    with connect(port) as first:
        first.sendall(b"fail")
        while first.recv(100):
            pass
    for thread in threading.enumerate():
        if thread.name == f"client of :{port.port}":
            thread.join()  # what it ends with is of this test, not of the next one
    with connect(port) as second:
        assert second.recv(1) == b"\xff"
        second.sendall(b"hello")
        wait_until(lambda: chip.received.endswith(b"hello"))


@pytest.mark.parametrize("failing", ["client of", "to client of", "refused at"])
def test_port_is_free_after_the_machine_had_no_thread_for_a_client(
    failing: str, quiet: tuple[Bystander, Rfc2217Port], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, port = quiet
    start = threading.Thread.start
    failed = threading.Event()

    def start_or_fail(thread: threading.Thread) -> None:
        if thread.name.startswith(failing):
            failed.set()
            raise RuntimeError("can't start new thread")
        start(thread)

    with contextlib.ExitStack() as held:
        if failing == "refused at":
            held.enter_context(connect(port)).recv(1)
        monkeypatch.setattr(threading.Thread, "start", start_or_fail)
        with connect(port) as turned_away:
            assert turned_away.recv(1) == b""
        assert failed.is_set()
        monkeypatch.undo()
    with connect(port) as served:
        assert served.recv(1) == b"\xff"


class StillbornBoard(ServedBoard):
    """Its chip fails when it is switched on."""

    def __init__(self) -> None:
        super().__init__(0)
        self._machine = Stillborn()


class Stillborn(Bystander):
    is_closed = False

    def start(self, boot: Boot) -> None:
        raise ZeroDivisionError

    def halt(self) -> None:
        pass

    def close(self) -> None:
        self.is_closed = True


def test_port_is_free_after_a_board_that_did_not_start() -> None:
    board = StillbornBoard()
    port = int(board.url.rsplit(":", 1)[1])
    with pytest.raises(ZeroDivisionError), board:
        pass
    Rfc2217Port(port).close()
    assert board._machine.is_closed  # type: ignore[attr-defined]
