"""Text from a file or a device, made fit to be seen: on a terminal, in a picture."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from xml.sax.saxutils import escape

HIDDEN = "(secret)"
SHORTEST_SECRET_BYTES = 4  # a shorter text is everywhere
LINE_BREAK = r"(?:['\"]\n[E \t+-]*b?['\"])?"  # where Python lays a long value over several lines


def printable(text: str) -> str:
    """The text with a dot in place of each character that cannot be shown."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else "·" for character in text)


def xml_text(text: str) -> str:
    """The text as the content of an XML element: not every character may be in one, not even escaped."""
    return escape(printable(text))


class Curtain:
    """Hides secrets in a text: as text, as Python shows it, over several lines too, as hexadecimal, as base64."""

    def __init__(self, secrets: Iterable[bytes]) -> None:
        texts: set[str] = set()
        for secret in secrets:
            if len(secret) >= SHORTEST_SECRET_BYTES:
                text = secret.decode(errors="replace")
                texts |= {
                    text,
                    repr(secret)[2:-1],
                    repr(text)[1:-1],
                    secret.hex(),
                    base64.b64encode(secret).decode(),
                }
        longest_first = sorted(texts, key=len, reverse=True)
        self._patterns = [
            re.compile(LINE_BREAK.join(map(re.escape, text)), re.IGNORECASE) for text in longest_first
        ]

    def hide(self, text: str) -> str:
        """The text without them."""
        for pattern in self._patterns:
            text = pattern.sub(HIDDEN, text)
        return text
