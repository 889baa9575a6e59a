"""Words for people."""


def counted(number: int, noun: str) -> str:
    """A number of things: `1 key`, `2 keys`."""
    return f"{number} {noun}{'s' * (number != 1)}"


def escaped(text: str) -> str:
    """The text as a terminal may have it: control characters, also Unicode's, written as Python writes them."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
