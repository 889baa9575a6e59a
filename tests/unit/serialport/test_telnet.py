"""Telnet: what is sent arrives, however the stream is cut; options settle."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fctry.serialport.telnet import (
    MAX_SUBNEGOTIATION_BYTES,
    Data,
    Event,
    Negotiation,
    Option,
    Options,
    Parser,
    Subnegotiation,
    Verb,
    escape,
    negotiation,
    subnegotiation,
)

blank = st.lists(st.sampled_from(b"\xff\xfda"), min_size=1, max_size=40).map(bytes)  # mostly, as flash is
events = st.one_of(
    st.binary(min_size=1, max_size=40).map(Data),
    blank.map(Data),
    st.builds(Negotiation, st.sampled_from(Verb), st.integers(0, 255)),
    st.builds(Subnegotiation, st.integers(0, 254), st.binary(max_size=40)),
)


def encode(event: Event) -> bytes:
    if isinstance(event, Data):
        return escape(event.data)
    if isinstance(event, Negotiation):
        return negotiation(event.verb, event.option)
    return subnegotiation(event.option, event.payload)


def joined(parsed: list[Event]) -> list[Event]:
    """The same events with neighbouring data as one: where the stream was cut means nothing."""
    result: list[Event] = []
    for event in parsed:
        if isinstance(event, Data) and result and isinstance(result[-1], Data):
            result[-1] = Data(result[-1].data + event.data)
        else:
            result.append(event)
    return result


@given(st.lists(events, max_size=12), st.data())
def test_parser_returns_what_was_sent_wherever_the_stream_is_cut(
    sent: list[Event], data: st.DataObject
) -> None:
    stream = b"".join(map(encode, sent))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    parser = Parser()
    parsed: list[Event] = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        parsed += parser.feed(stream[start:end])
    assert joined(parsed) == joined(sent)


@given(st.binary(max_size=200))
def test_parser_survives_any_bytes(stream: bytes) -> None:
    Parser().feed(stream)


def test_parser_bounds_a_subnegotiation_that_never_ends() -> None:
    parser = Parser()
    parser.feed(b"\xff\xfa\x2c")
    for _ in range(100):
        assert parser.feed(b"x" * 1000) == []
    (event,) = parser.feed(b"\xff\xf0")
    assert isinstance(event, Subnegotiation)
    assert len(event.payload) < MAX_SUBNEGOTIATION_BYTES


def test_parser_drops_commands_of_one_byte() -> None:
    assert Parser().feed(b"a\xff\xf1b\xff\xf6c") == [Data(b"abc")]


def settle(one: Options, other: Options) -> int:
    """Let two sides talk until both are silent. Returns the number of messages."""
    queue = [(other, one.ask()), (one, other.ask())]
    count = 0
    while queue:
        receiver, message = queue.pop(0)
        for event in Parser().feed(message):
            assert isinstance(event, Negotiation)
            count += 1
            assert count < 100, "the sides answer each other for ever"
            queue.append((one if receiver is other else other, receiver.receive(event)))
    return count


option_sets = st.sets(st.sampled_from(Option))


@given(option_sets, option_sets, option_sets, option_sets)
def test_options_settle_on_what_both_sides_allow(
    ours: set[Option], theirs: set[Option], peer_ours: set[Option], peer_theirs: set[Option]
) -> None:
    one, other = Options(ours=ours, theirs=theirs), Options(ours=peer_ours, theirs=peer_theirs)
    settle(one, other)
    assert one.ours == other.theirs == ours & peer_theirs
    assert one.theirs == other.ours == theirs & peer_ours


@pytest.mark.parametrize(("verb", "answer"), [(Verb.DO, Verb.WONT), (Verb.WILL, Verb.DONT)])
def test_options_refuse_what_is_not_allowed(verb: Verb, answer: Verb) -> None:
    assert Options().receive(Negotiation(verb, 99)) == negotiation(answer, 99)


def test_options_confirm_that_the_peer_ends_one() -> None:
    options = Options(ours=[Option.ECHO])
    assert options.receive(Negotiation(Verb.DO, Option.ECHO)) == negotiation(Verb.WILL, Option.ECHO)
    assert options.receive(Negotiation(Verb.DONT, Option.ECHO)) == negotiation(Verb.WONT, Option.ECHO)
    assert options.receive(Negotiation(Verb.DONT, Option.ECHO)) == b""
    assert options.ours == frozenset()
