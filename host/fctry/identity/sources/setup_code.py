"""The eight digits that a person types to pair a device: the same rules for HomeKit and Matter.

Source: HomeKit Accessory Protocol Specification (non-commercial), 4.2.1.2; Matter Core Specification 1.3, 5.1.7.1.
"""

from __future__ import annotations

import secrets

FORBIDDEN_CODES = frozenset([*(11_111_111 * digit for digit in range(10)), 12_345_678, 87_654_321])
CODES = 10**8 - len(FORBIDDEN_CODES)


def draw_code() -> int:
    """One that is allowed, each as likely as any other."""
    number = secrets.randbelow(10**8)
    while number in FORBIDDEN_CODES:
        number = secrets.randbelow(10**8)
    return number
