"""The server's end of RFC2217, against requests byte by byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fctry.boards.port.rfc2217_session import SIGNATURE, Line, Received, Send, Session, SetBaud, SetLine, Step
from fctry.serialport.com_port import ANSWER, Control, Purge, Request, message, pack_baudrate
from fctry.serialport.telnet import Option, Verb, escape, negotiation


@pytest.fixture
def session() -> Session:
    started = Session()
    started.start()
    started.feed(negotiation(Verb.WILL, Option.COM_PORT))
    return started


def answer(request: Request, value: bytes | int) -> Send:
    return Send(message(request + ANSWER, value))


@given(st.binary(min_size=1, max_size=100))
def test_data_goes_to_the_line(data: bytes) -> None:
    assert Session().feed(escape(data)) == [Received(data)]


@given(st.binary(max_size=200))
def test_session_survives_any_bytes(received: bytes) -> None:
    Session().feed(received)


def test_session_asks_for_what_it_needs_at_the_start() -> None:
    (step,) = Session().start()
    assert isinstance(step, Send)
    for verb, option in [(Verb.WILL, Option.COM_PORT), (Verb.DO, Option.COM_PORT), (Verb.DO, Option.BINARY)]:
        assert negotiation(verb, option) in step.data


@pytest.mark.parametrize(
    "first", [negotiation(Verb.WILL, Option.COM_PORT), message(Request.SET_CONTROL, Control.FLOW_NONE)]
)
def test_input_lines_are_told_once_when_the_client_speaks_rfc2217(first: bytes) -> None:
    session = Session()
    session.start()
    assert answer(Request.NOTIFY_MODEMSTATE, 0xB0) in session.feed(first)
    assert answer(Request.NOTIFY_MODEMSTATE, 0xB0) not in session.feed(first)
    assert session.feed(message(Request.NOTIFY_MODEMSTATE)) == [answer(Request.NOTIFY_MODEMSTATE, 0xB0)]


def test_option_that_is_not_ours_is_refused(session: Session) -> None:
    assert session.feed(negotiation(Verb.DO, 99)) == [Send(negotiation(Verb.WONT, 99))]


@pytest.mark.parametrize(
    ("control", "line", "is_asserted"),
    [
        (Control.DTR_ON, Line.DTR, True),
        (Control.DTR_OFF, Line.DTR, False),
        (Control.RTS_ON, Line.RTS, True),
        (Control.RTS_OFF, Line.RTS, False),
    ],
)
def test_output_line_is_set_before_it_is_confirmed(
    control: Control, line: Line, is_asserted: bool, session: Session
) -> None:
    assert session.feed(message(Request.SET_CONTROL, control)) == [
        SetLine(line, is_asserted),
        answer(Request.SET_CONTROL, control),
    ]


@pytest.mark.parametrize(
    ("ask", "at_start", "on"),
    [
        (Control.REQUEST_DTR, Control.DTR_OFF, Control.DTR_ON),
        (Control.REQUEST_RTS, Control.RTS_OFF, Control.RTS_ON),
        (Control.REQUEST_BREAK, Control.BREAK_OFF, Control.BREAK_ON),
        (Control.REQUEST_FLOW, Control.FLOW_NONE, Control.FLOW_HARDWARE),
    ],
)
def test_control_that_asks_is_told_what_was_set(
    ask: Control, at_start: Control, on: Control, session: Session
) -> None:
    assert session.feed(message(Request.SET_CONTROL, ask)) == [answer(Request.SET_CONTROL, at_start)]
    session.feed(message(Request.SET_CONTROL, on))
    assert session.feed(message(Request.SET_CONTROL, ask)) == [answer(Request.SET_CONTROL, on)]


def test_baud_rate_is_set_and_told(session: Session) -> None:
    fast = pack_baudrate(921600)
    assert session.feed(message(Request.SET_BAUDRATE, fast)) == [
        SetBaud(921600),
        answer(Request.SET_BAUDRATE, fast),
    ]
    assert session.feed(message(Request.SET_BAUDRATE, pack_baudrate(0))) == [
        answer(Request.SET_BAUDRATE, fast)
    ]
    assert session.feed(message(Request.SET_BAUDRATE, b"\1")) == [answer(Request.SET_BAUDRATE, fast)]


@pytest.mark.parametrize(
    ("request_", "at_start", "value"),
    [(Request.SET_DATASIZE, 8, 7), (Request.SET_PARITY, 1, 2), (Request.SET_STOPSIZE, 1, 2)],
)
def test_setting_is_kept_and_told(request_: Request, at_start: int, value: int, session: Session) -> None:
    assert session.feed(message(request_, 0)) == [answer(request_, at_start)]
    assert session.feed(message(request_, value)) == [answer(request_, value)]
    assert session.feed(message(request_, 0)) == [answer(request_, value)]


@pytest.mark.parametrize(
    ("sent", "steps"),
    [
        (message(Request.PURGE_DATA, Purge.BOTH), [answer(Request.PURGE_DATA, Purge.BOTH)]),
        (message(Request.SET_MODEMSTATE_MASK, 255), [answer(Request.SET_MODEMSTATE_MASK, 255)]),
        (message(Request.SET_LINESTATE_MASK, 0), [answer(Request.SET_LINESTATE_MASK, 0)]),
        (message(Request.NOTIFY_LINESTATE), [answer(Request.NOTIFY_LINESTATE, 0)]),
        (message(Request.SIGNATURE), [answer(Request.SIGNATURE, SIGNATURE)]),
        (message(Request.SIGNATURE, b"the client's"), []),
        (message(Request.FLOWCONTROL_SUSPEND), []),
        (message(Request.SET_CONTROL, 99), []),
        (message(99, 1), []),
    ],
)
def test_other_requests(sent: bytes, steps: list[Step], session: Session) -> None:
    assert session.feed(sent) == steps


def test_steps_keep_the_order_of_what_came(session: Session) -> None:
    steps = session.feed(b"a" + message(Request.SET_CONTROL, Control.RTS_ON) + b"b")
    assert steps == [
        Received(b"a"),
        SetLine(Line.RTS, True),
        answer(Request.SET_CONTROL, Control.RTS_ON),
        Received(b"b"),
    ]
