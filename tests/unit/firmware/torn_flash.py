"""What a power cut leaves of one operation of a NOR flash, by model; each draws from a generator with a recorded seed.

Source: JEDEC-style NOR chips may program a sector to zero before they erase it; cells on their way read as either.
"""

from __future__ import annotations

import random
from collections.abc import Callable

Torn = Callable[[bytes, bytes, random.Random], bytes]
"""Bytes before, bytes that there would have been, generator -> bytes that there are."""


def erase_half(before: bytes, after: bytes, _: random.Random) -> bytes:
    return after[: len(after) // 2] + before[len(before) // 2 :]


def erase_while_programming_to_zero(before: bytes, _: bytes, draw: random.Random) -> bytes:
    zeroed = draw.choice([0, 1, 31, 32, 4064, 4095, len(before)])
    return bytes(zeroed) + before[zeroed:]


def erase_while_erasing(before: bytes, _: bytes, draw: random.Random) -> bytes:
    return draw.randbytes(len(before))


def erase_at_its_end(_: bytes, after: bytes, draw: random.Random) -> bytes:
    weak = bytearray(after)
    for _ in range(draw.randrange(1, 9)):
        weak[draw.randrange(len(weak))] &= ~(1 << draw.randrange(8))
    return bytes(weak)


def program_half(before: bytes, after: bytes, _: random.Random) -> bytes:
    return after[: len(after) // 2] + before[len(after) // 2 :]


def program_some_bits(before: bytes, after: bytes, draw: random.Random) -> bytes:
    return bytes(b & (a | draw.randrange(256)) for b, a in zip(before, after, strict=True))


def program_half_a_byte(before: bytes, after: bytes, draw: random.Random) -> bytes:
    at = draw.randrange(len(after))
    return after[:at] + bytes([before[at] & (after[at] | draw.choice([0x0F, 0xF0]))]) + before[at + 1 :]


ERASES = (erase_half, erase_while_programming_to_zero, erase_while_erasing, erase_at_its_end)
PROGRAMS = (program_half, program_some_bits, program_half_a_byte)
MODELS: list[tuple[Torn, Torn]] = [
    (ERASES[n % len(ERASES)], PROGRAMS[n % len(PROGRAMS)]) for n in range(len(ERASES) * len(PROGRAMS))
]
