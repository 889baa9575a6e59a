"""Words for people."""


def counted(number: int, noun: str) -> str:
    """A number of things: `1 key`, `2 keys`."""
    return f"{number} {noun}{'s' * (number != 1)}"
