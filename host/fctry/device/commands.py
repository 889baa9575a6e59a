"""Commands to the firmware's console, without I/O: a line to send, and what the report lines that follow make of it.

    prove "secrets" "password" 5f0c… str #a81f03c55d0e9b42
    @fctry {"event":"proof","id":"a81f03c55d0e9b42",…,"hmac":"…"}*3C1E
    @fctry {"event":"done","id":"a81f03c55d0e9b42","command":"prove","result":"ESP_OK"}*77D0

A command's id is random: what the device says before it was asked answers nothing.
Source: docs/firmware.md, "Console"; firmware/components/factory_data/src/prove.c.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass

from fctry.device.report import Event, Report, ReportCollector
from fctry.nvs.item import NUMBERS, Item

CHALLENGE_BYTES = 32
PROOF_DOMAIN = "fctry proof 1"
ID_BYTES = 8  # an id has at most 16 characters


@dataclass(frozen=True)
class Answer:
    """The report lines that answer a console command; the last one is its `done`."""

    events: tuple[Event, ...]

    @property
    def result(self) -> str:
        """The command's result by its ESP-IDF name, such as ESP_OK."""
        return str(self.events[-1].get("result"))

    def named(self, name: str) -> list[Event]:
        """The events of this name."""
        return [event for event in self.events if event.name == name]

    def report(self, partition: str) -> Report:
        """The report on a partition in this answer. Raises ReportError when a line of it was lost."""
        collector = ReportCollector(partition)
        return next(filter(None, map(collector.feed, self.events)), collector.report)


class Command:
    """One command, to be sent once, and its answer as it comes in."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._id = secrets.token_hex(ID_BYTES)
        self._events: list[Event] = []

    @property
    def line(self) -> bytes:
        """What to send."""
        return f"{self.text} #{self._id}\n".encode()

    def feed(self, event: Event) -> Answer | None:
        """Take an event; the answer once its last line has come, else None."""
        if event.get("id") != self._id:
            return None
        self._events.append(event)
        return Answer(tuple(self._events)) if event.name == "done" else None


class Challenge:
    """A random challenge for one item: `command` asks, `verdict` judges."""

    def __init__(self, item: Item) -> None:
        challenge = secrets.token_bytes(CHALLENGE_BYTES)
        names = f"{_quoted(item.namespace)} {_quoted(item.key)}"
        self.command = Command(f"prove {names} {challenge.hex()} {item.type.value}")
        self._expected = proof_of(item, challenge).encode()

    @staticmethod
    def is_possible(item: Item) -> bool:
        """Whether it can be asked for: a name that cannot be typed cannot."""
        return (item.namespace + item.key).isprintable()

    def verdict(self, answer: Answer) -> bool | None:
        """Whether the firmware has this very value, None where it gave no proof."""
        said = [str(event.get("hmac")).encode(errors="replace") for event in answer.named("proof")]
        return all(hmac.compare_digest(proof, self._expected) for proof in said) if said else None


def proof_of(item: Item, challenge: bytes) -> str:
    """The proof in hexadecimal that firmware with this very item gives.

    Source: firmware/components/factory_data/src/prove.c.
    """
    number = NUMBERS.get(item.type)
    if number is not None:
        key = number.pack(item.value)
    else:
        assert isinstance(item.value, (str, bytes))
        key = stored_bytes(item.value)
    names = "\0".join((PROOF_DOMAIN, item.namespace, item.key, item.type.value, ""))
    return hmac.digest(key, names.encode(errors="surrogateescape") + challenge, "sha256").hex()


def stored_bytes(value: str | bytes) -> bytes:
    """The bytes of a string or blob in NVS, of a string without its NUL."""
    return value.encode(errors="surrogateescape") if isinstance(value, str) else value


def _quoted(word: str) -> str:
    # as esp_console splits a line
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'
