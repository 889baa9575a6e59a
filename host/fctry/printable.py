"""Text from a file or a device, made fit to be seen: on a terminal, in a picture."""

from __future__ import annotations

from xml.sax.saxutils import escape


def printable(text: str) -> str:
    """The text with a dot in place of each character that cannot be shown."""
    return "".join(character if character.isprintable() else "·" for character in text)


def xml_text(text: str) -> str:
    """The text as the content of an XML element: not every character may be in one, not even escaped."""
    return escape(printable(text))
