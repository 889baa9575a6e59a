"""What a power cut leaves of an operation of NOR flash.

No data sheet says what is left; these are models of what is seen: chips program a sector to zero before they erase it,
and neither erasing nor programming reaches all bits at the same time.
"""

from __future__ import annotations

from enum import Enum
from random import Random

WORD_BYTES = 4


class Tear(Enum):
    """How far the operation came. One of the other kind of operation is left half done."""

    HALF = "half"
    """The first half of the bytes is done."""
    ZEROING = "zeroing"
    """Erasing: a part of the sector, or all of it, is programmed to zero, the rest is as it was."""
    ERASING = "erasing"
    """Erasing: all bits are random."""
    WORD = "word"
    """Programming: of one word only some bits are cleared, what is behind it is as it was."""
    NIBBLE = "nibble"
    """Programming: half of one byte is done, what is behind it is as it was."""


def tear(kind: Tear, before: bytes, after: bytes, random: Random, *, is_erasure: bool) -> bytes:
    """What is left between `before` and `after`, which are of one length."""
    size = len(after)
    if is_erasure and kind == Tear.ZEROING:
        zeroed = random.choice((size, random.randrange(1, size + 1)))
        return bytes(zeroed) + before[zeroed:]
    if is_erasure and kind == Tear.ERASING:
        return random.randbytes(size)
    if not is_erasure and kind == Tear.WORD:
        return _torn(before, after, random.randrange(0, size, WORD_BYTES), random.randbytes(WORD_BYTES))
    if not is_erasure and kind == Tear.NIBBLE:
        return _torn(before, after, random.randrange(size), random.choice((b"\x0f", b"\xf0")))
    return after[: size // 2] + before[size // 2 :]


def _torn(before: bytes, after: bytes, start: int, kept: bytes) -> bytes:
    """Done up to `start`; from there on, bits that are set in `kept` are not cleared."""
    end = start + len(kept)
    middle = bytes(
        old & (new | mask) for old, new, mask in zip(before[start:end], after[start:end], kept, strict=False)
    )
    return after[:start] + middle + before[end:]
