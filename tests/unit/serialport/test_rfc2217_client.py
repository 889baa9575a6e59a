"""The RFC2217 client against a scripted server: what it sends, and what it makes of odd answers."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
import serial

from fctry.boards.port.rfc2217_session import Received, Send, Session, SetBaud, SetLine, Step
from fctry.serialport import register
from fctry.serialport.com_port import ANSWER, Control, Purge, Request, message, pack_baudrate
from fctry.serialport.protocol_rfc2217 import Serial
from fctry.serialport.rfc2217_link import OpenError
from fctry.serialport.telnet import Data, Option, Parser, Subnegotiation, Verb, escape, negotiation

Answer = Callable[[Step], bytes]


class ScriptedServer:
    """A server for one client. `answer` turns each step of a correct server into what this one sends instead."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"rfc2217://127.0.0.1:{self.listener.getsockname()[1]}"
        self.requests: list[tuple[int, bytes]] = []
        self.steps: list[Step] = []
        self.answer: Answer = lambda step: step.data if isinstance(step, Send) else b""
        self.peer: socket.socket | None = None
        self.is_connected = threading.Event()
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self) -> None:
        try:
            self.peer, _ = self.listener.accept()
        except OSError:
            return
        session, parser = Session(), Parser()
        with self.peer:
            self.is_connected.set()
            try:
                self.take(session.start())
                while received := self.peer.recv(65536):
                    for event in parser.feed(received):
                        if isinstance(event, Subnegotiation) and event.option == Option.COM_PORT:
                            self.requests.append((event.payload[0], event.payload[1:]))
                    self.take(session.feed(received))
            except OSError:
                pass

    def take(self, steps: list[Step]) -> None:
        assert self.peer is not None
        for step in steps:
            self.steps.append(step)
            self.peer.sendall(self.answer(step))

    def send(self, data: bytes) -> None:
        assert self.peer is not None
        self.peer.sendall(data)

    def close(self) -> None:
        self.listener.close()
        if self.peer is not None:
            with contextlib.suppress(OSError):
                self.peer.shutdown(socket.SHUT_RDWR)
        self.thread.join()


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    scripted = ScriptedServer()
    yield scripted
    scripted.close()


@pytest.fixture
def client(server: ScriptedServer) -> Iterator[serial.SerialBase]:
    register()
    with serial.serial_for_url(server.url, timeout=20) as opened:
        yield opened


def replacing(code: int, replacement: bytes) -> Answer:
    """A server that answers every request with this answer code by something else."""
    start = message(code)[:4]

    def answer(step: Step) -> bytes:
        if not isinstance(step, Send):
            return b""
        return replacement if step.data.startswith(start) else step.data

    return answer


def send_of(step: Step) -> bytes:
    return step.data if isinstance(step, Send) else b""


def test_register_makes_pyserial_use_the_fast_client(client: serial.SerialBase) -> None:
    assert isinstance(client, Serial)
    register()
    assert serial.protocol_handler_packages.count("fctry.serialport") == 1


def test_open_sends_line_settings_control_lines_and_purges(
    server: ScriptedServer, client: serial.SerialBase
) -> None:
    assert server.requests == [
        (Request.SET_BAUDRATE, pack_baudrate(9600)),
        (Request.SET_DATASIZE, b"\x08"),
        (Request.SET_PARITY, b"\x01"),
        (Request.SET_STOPSIZE, b"\x01"),
        (Request.SET_CONTROL, bytes([Control.FLOW_NONE])),
        (Request.SET_CONTROL, bytes([Control.DTR_ON])),
        (Request.SET_CONTROL, bytes([Control.RTS_ON])),
        (Request.PURGE_DATA, bytes([Purge.RECEIVE])),
        (Request.PURGE_DATA, bytes([Purge.TRANSMIT])),
    ]


def test_change_of_timeouts_sends_nothing(server: ScriptedServer, client: serial.SerialBase) -> None:
    server.requests.clear()
    client.timeout = 0.2
    client.write_timeout = 10
    client.inter_byte_timeout = 0.1
    client.exclusive = True
    client.baudrate = client.baudrate
    assert server.requests == []


def test_change_of_one_setting_sends_that_one(server: ScriptedServer, client: serial.SerialBase) -> None:
    server.requests.clear()
    client.baudrate = 921600
    client.parity = serial.PARITY_EVEN
    client.rtscts = True
    assert server.requests == [
        (Request.SET_BAUDRATE, pack_baudrate(921600)),
        (Request.SET_PARITY, b"\x03"),
        (Request.SET_CONTROL, bytes([Control.FLOW_HARDWARE])),
    ]
    assert SetBaud(921600) in server.steps


def test_baud_rate_whose_bytes_are_telnet_commands_arrives(
    server: ScriptedServer, client: serial.SerialBase
) -> None:
    client.baudrate = 0xFFFF
    assert server.requests[-1] == (Request.SET_BAUDRATE, b"\x00\x00\xff\xff")


def test_every_byte_value_travels_in_both_directions(
    server: ScriptedServer, client: serial.SerialBase
) -> None:
    data = bytes(range(256)) * 40
    server.answer = lambda step: escape(step.data) if isinstance(step, Received) else b""
    assert client.write(data) == len(data)
    assert client.read(len(data)) == data


def test_read_returns_what_came_when_the_timeout_passes(
    server: ScriptedServer, client: serial.SerialBase
) -> None:
    server.send(b"abc")
    client.timeout = 0.05
    assert client.read(10) == b"abc"
    assert client.read(10) == b""
    client.timeout = 0
    assert client.read(1) == b""


def test_cancel_read_ends_a_read_without_timeout(server: ScriptedServer, client: serial.SerialBase) -> None:
    client.timeout = None
    threading.Timer(0.05, client.cancel_read).start()
    assert client.read(1) == b""


def test_purge_keeps_what_the_server_sends_after_its_answer(
    server: ScriptedServer, client: serial.SerialBase
) -> None:
    purged = message(Request.PURGE_DATA + ANSWER, bytes([Purge.RECEIVE]))
    server.answer = lambda step: b"old" + purged + b"new" if isinstance(step, Send) else b""
    client.reset_input_buffer()
    assert client.read(3) == b"new"


def test_control_lines_follow_the_properties(server: ScriptedServer, client: serial.SerialBase) -> None:
    server.steps.clear()
    client.rts = False
    client.dtr = False
    client.break_condition = True
    lines = [(step.line.value, step.is_asserted) for step in server.steps if isinstance(step, SetLine)]
    assert lines == [("RTS", False), ("DTR", False)]
    assert server.requests[-1] == (Request.SET_CONTROL, bytes([Control.BREAK_ON]))


def test_input_lines_are_those_of_the_last_notification(
    server: ScriptedServer, client: serial.SerialBase
) -> None:
    assert (client.cts, client.dsr, client.ri, client.cd) == (True, True, False, True)
    server.send(message(Request.NOTIFY_MODEMSTATE + ANSWER, 0x40) + b"x")
    client.read(1)
    assert (client.cts, client.dsr, client.ri, client.cd) == (False, False, True, False)


def test_poll_modem_asks_again_when_the_state_is_old(server: ScriptedServer) -> None:
    with Serial(f"{server.url}?poll_modem") as client:
        client._link._modem_state_time = time.monotonic() - 1  # older than any notification may be
        server.requests.clear()
        assert client.cts
        assert server.requests == [(Request.NOTIFY_MODEMSTATE, b"")]


def test_input_lines_raise_when_the_server_never_tells_them(server: ScriptedServer) -> None:
    server.answer = replacing(Request.NOTIFY_MODEMSTATE + ANSWER, b"")
    with (
        Serial(f"{server.url}?timeout=0.1") as client,
        pytest.raises(serial.SerialException, match="input lines"),
    ):
        _ = client.cts


def test_refused_setting_is_an_error_and_is_sent_again(
    server: ScriptedServer, client: serial.SerialBase
) -> None:
    server.answer = replacing(
        Request.SET_BAUDRATE + ANSWER, message(Request.SET_BAUDRATE + ANSWER, pack_baudrate(9600))
    )
    with pytest.raises(serial.SerialException, match="refused SET_BAUDRATE"):
        client.baudrate = 12_000_000
    server.answer = lambda step: step.data if isinstance(step, Send) else b""
    client.baudrate = 115200
    assert (Request.SET_BAUDRATE, pack_baudrate(115200)) in server.requests


def test_unanswered_control_names_the_option_that_helps(server: ScriptedServer) -> None:
    server.answer = replacing(Request.SET_CONTROL + ANSWER, b"")
    with pytest.raises(serial.SerialException, match="ign_set_control"):
        Serial(f"{server.url}?timeout=0.1")


@pytest.mark.parametrize(
    "answer",
    [
        replacing(Request.SET_BAUDRATE + ANSWER, b""),
        lambda step: b"" if send_of(step).startswith(message(0)[:3]) else send_of(step),
    ],
    ids=["another request", "every request"],
)
def test_option_is_not_named_where_it_does_not_help(server: ScriptedServer, answer: Answer) -> None:
    server.answer = answer
    with pytest.raises(serial.SerialException, match=r"no answer to .*SET_BAUDRATE") as caught:
        Serial(f"{server.url}?timeout=0.1")
    assert "ign_set_control" not in str(caught.value)


def test_ign_set_control_does_not_wait_for_answers(server: ScriptedServer) -> None:
    server.answer = replacing(Request.SET_CONTROL + ANSWER, b"")
    with Serial(f"{server.url}?ign_set_control&timeout=20&logging=debug") as client:
        client.dtr = False
        client.reset_input_buffer()  # is answered after what was sent before it
        assert (Request.SET_CONTROL, bytes([Control.DTR_OFF])) in server.requests


def test_lost_connection_is_an_error_after_the_last_byte(
    server: ScriptedServer, client: serial.SerialBase
) -> None:
    server.send(b"last")
    server.close()
    assert client.read(10) == b"last"
    with pytest.raises(serial.SerialException, match="lost"):
        client.read(1)
    with pytest.raises(serial.SerialException, match="lost"):
        client.dtr = False


def test_refusal_in_words_is_part_of_the_error(server: ScriptedServer) -> None:
    def refuse(step: Step) -> bytes:
        assert server.peer is not None
        server.peer.sendall(b"Port already in use\r\n")
        server.peer.shutdown(socket.SHUT_WR)
        return b""

    server.answer = refuse
    with pytest.raises(OpenError, match="Port already in use") as caught:
        Serial(server.url)
    assert "close the program that uses it" in caught.value.hint


@pytest.mark.parametrize("agreed", [b"", negotiation(Verb.DO, Option.COM_PORT)])
def test_reason_of_a_server_that_hangs_up_at_once_is_never_lost(agreed: bytes) -> None:
    def refuse() -> None:
        for _ in range(50):
            peer, _ = listener.accept()
            peer.sendall(b"Port already in use\r\n" + agreed + negotiation(Verb.WILL, Option.BINARY))
            peer.close()  # with what the client has sent unread: its next send fails

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=refuse)
        thread.start()
        reasons = []
        for _ in range(50):
            with pytest.raises(OpenError) as caught:
                Serial(f"rfc2217://127.0.0.1:{listener.getsockname()[1]}")
            reasons.append("Port already in use" in str(caught.value))
        thread.join()
    assert reasons == [True] * 50


def test_server_that_is_silent_is_an_error_after_the_timeout(server: ScriptedServer) -> None:
    server.answer = lambda step: b""
    with pytest.raises(OpenError, match="no RFC2217 answer within"):
        Serial(f"{server.url}?timeout=0.1")


@pytest.mark.parametrize(
    "url", ["rfc2217://", "rfc2217://host", "rfc2217://host:99999", "rfc2217://host:1?wrong=1"]
)
def test_url_that_is_none_is_an_error(url: str) -> None:
    with pytest.raises(serial.SerialException, match="expected"):
        Serial(url)


def test_closed_port_raises_on_use(server: ScriptedServer, client: serial.SerialBase) -> None:
    client.close()
    client.close()
    for use in (
        client.read,
        client.reset_input_buffer,
        lambda: client.write(b"x"),
        lambda: client.in_waiting,
    ):
        with pytest.raises(serial.PortNotOpenError):
            use()
    client.baudrate = 115200  # is for the next open


def test_threads_may_set_lines_while_another_reads(server: ScriptedServer, client: serial.SerialBase) -> None:
    client.timeout = None
    reader = threading.Thread(target=client.read, args=(1,))
    reader.start()

    def toggle(name: str) -> None:
        for number in range(50):
            setattr(client, name, bool(number % 2))

    togglers = [threading.Thread(target=toggle, args=(name,)) for name in ("rts", "dtr")]
    for thread in togglers:
        thread.start()
    for thread in togglers:
        thread.join()
    client.cancel_read()
    reader.join()
    lines = [step for step in server.steps if isinstance(step, SetLine)]
    assert len(lines) == 2 + 100


def test_data_before_an_unfinished_command_is_not_held_back(
    server: ScriptedServer, client: serial.SerialBase
) -> None:
    server.send(b"abc\xff")
    assert client.read(3) == b"abc"
    server.send(b"\xff")
    assert client.read(1) == b"\xff"
    assert Parser().feed(b"abc\xff") == [Data(b"abc")]
