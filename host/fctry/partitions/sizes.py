"""Sizes as people write them. Imports nothing that costs time."""

from __future__ import annotations

import re

SIZE = re.compile(r"(0x[0-9a-f]+|[0-9]{1,10})\s*(?:([km]?)(?:i?b)?)", re.IGNORECASE)
UNITS_BYTES = {"": 1, "k": 1 << 10, "m": 1 << 20}


def parse_size(text: str) -> int:
    """A number of bytes of 0 to 0xFFFFFFFF: `24K`, `4MB`, `0x6000`, `24576`. Raises ValueError."""
    found = SIZE.fullmatch(text)
    size_bytes = int(found[1], 0) * UNITS_BYTES[found[2].lower()] if found else 1 << 32
    if size_bytes > 0xFFFFFFFF:
        raise ValueError(f"{text[:40]!r} is no size: write it as 24K, 4MB, 0x6000 or 24576")
    return size_bytes
