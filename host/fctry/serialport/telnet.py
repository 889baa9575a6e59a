"""Telnet as RFC2217 uses it, without I/O: bytes in, events out; and who agreed to which option.

Source: RFC 854 (commands), RFC 855 (options).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

IAC = 255  # "interpret as command"; sent twice when it is data
_SE, _SB = 240, 250
_IAC_BYTE = bytes([IAC])

MAX_SUBNEGOTIATION_BYTES = 4096  # what comes longer than this is cut: no option of ours needs more than 256


class Verb(IntEnum):
    """What one side says about an option: its own (WILL, WONT) or the other side's (DO, DONT)."""

    WILL = 251
    WONT = 252
    DO = 253
    DONT = 254


_VERBS = frozenset(Verb)


class Option(IntEnum):
    """The options that serial ports use."""

    BINARY = 0
    ECHO = 1
    SUPPRESS_GO_AHEAD = 3
    COM_PORT = 44


@dataclass(frozen=True)
class Data:
    """Bytes of the serial line, unescaped."""

    data: bytes


@dataclass(frozen=True)
class Negotiation:
    """The peer's WILL, WONT, DO or DONT for one option."""

    verb: Verb
    option: int


@dataclass(frozen=True)
class Subnegotiation:
    """What stood between IAC SB and IAC SE, without the option's number, unescaped."""

    option: int
    payload: bytes


Event = Data | Negotiation | Subnegotiation


def escape(data: bytes) -> bytes:
    """Data as it travels: each 0xFF doubled."""
    return data.replace(_IAC_BYTE, _IAC_BYTE * 2)


def negotiation(verb: Verb, option: int) -> bytes:
    """IAC verb option."""
    return bytes((IAC, verb, option))


def subnegotiation(option: int, payload: bytes) -> bytes:
    """IAC SB option payload IAC SE, with the payload escaped."""
    return bytes((IAC, _SB, option)) + escape(payload) + bytes((IAC, _SE))


class Parser:
    """Splits a stream into events. Commands of one byte (NOP, AYT, …) mean nothing to a serial port and are dropped."""

    def __init__(self) -> None:
        self._rest = b""
        self._subnegotiation: bytearray | None = None

    def feed(self, received: bytes) -> list[Event]:
        """The events that these bytes complete; an unfinished command waits for the next call."""
        stream = self._rest + received
        if self._subnegotiation is None:
            is_cut = (len(stream) - len(stream.rstrip(_IAC_BYTE))) % 2
            plain = stream[: len(stream) - is_cut]
            if plain.count(_IAC_BYTE) == 2 * plain.count(_IAC_BYTE * 2):  # every one is doubled: no command
                self._rest = stream[len(plain) :]
                return [Data(plain.replace(_IAC_BYTE * 2, _IAC_BYTE))] if plain else []
        events: list[Event] = []
        data = bytearray()
        position = 0
        while (command := stream.find(IAC, position)) >= 0:
            self._take(stream[position:command], data)
            length = _command_length(stream, command)
            if command + length > len(stream):
                position = command
                break
            self._take_command(stream[command : command + length], data, events)
            position = command + length
        else:
            self._take(stream[position:], data)
            position = len(stream)
        self._rest = stream[position:]
        _flush(data, events)
        return events

    def _take(self, plain: bytes, data: bytearray) -> None:
        if self._subnegotiation is None:
            data += plain
        else:
            self._subnegotiation += plain
            del self._subnegotiation[MAX_SUBNEGOTIATION_BYTES:]

    def _take_command(self, command: bytes, data: bytearray, events: list[Event]) -> None:
        code = command[1]
        if code == IAC:
            self._take(_IAC_BYTE, data)
        elif code == _SB:
            self._subnegotiation = bytearray()
        elif code == _SE:
            finished, self._subnegotiation = self._subnegotiation, None
            if finished:
                _flush(data, events)
                events.append(Subnegotiation(finished[0], bytes(finished[1:])))
        elif len(command) == 3:
            _flush(data, events)
            events.append(Negotiation(Verb(code), command[2]))


def _command_length(stream: bytes, start: int) -> int:
    """Length in bytes of the command that starts with the IAC at `start`: 3 for WILL, WONT, DO, DONT, else 2."""
    is_negotiation = start + 1 < len(stream) and stream[start + 1] in _VERBS
    return 3 if is_negotiation else 2


def _flush(data: bytearray, events: list[Event]) -> None:
    if data:
        events.append(Data(bytes(data)))
        data.clear()


class Options:
    """Which options are on, at our side (`ours`) and at the peer's (`theirs`).

    A side that has been asked for answers only to a change, never to a confirmation; so two of these never
    answer each other for ever (RFC 854, "General considerations").
    """

    def __init__(self, *, ours: Iterable[int] = (), theirs: Iterable[int] = ()) -> None:
        self._allowed = {True: frozenset(ours), False: frozenset(theirs)}
        self._asked: dict[bool, set[int]] = {True: set(), False: set()}
        self._on: dict[bool, set[int]] = {True: set(), False: set()}

    @property
    def ours(self) -> frozenset[int]:
        """Options that the peer agreed that we use."""
        return frozenset(self._on[True])

    @property
    def theirs(self) -> frozenset[int]:
        """Options that the peer uses."""
        return frozenset(self._on[False])

    def ask(self) -> bytes:
        """Requests for all allowed options, to be sent at the start."""
        message = b""
        for is_ours, verb in ((True, Verb.WILL), (False, Verb.DO)):
            for option in sorted(self._allowed[is_ours] - self._on[is_ours]):
                self._asked[is_ours].add(option)
                message += negotiation(verb, option)
        return message

    def receive(self, event: Negotiation) -> bytes:
        """Note what the peer said. Returns the answer to send, empty if there is nothing to say."""
        is_ours = event.verb in (Verb.DO, Verb.DONT)
        yes, no = (Verb.WILL, Verb.WONT) if is_ours else (Verb.DO, Verb.DONT)
        on, asked = self._on[is_ours], self._asked[is_ours]
        was_asked = event.option in asked
        was_on = event.option in on
        asked.discard(event.option)
        if event.verb in (Verb.DONT, Verb.WONT):
            on.discard(event.option)
            return negotiation(no, event.option) if was_on else b""
        if event.option not in self._allowed[is_ours]:
            return negotiation(no, event.option)
        on.add(event.option)
        return b"" if was_asked or was_on else negotiation(yes, event.option)
