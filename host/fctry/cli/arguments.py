"""What the text of an argument means. Errors say what would have been right. Imports nothing that costs time."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from typing import TYPE_CHECKING

from fctry.partitions.sizes import parse_size

if TYPE_CHECKING:
    from pathlib import Path

    from fctry.partitions.keywords import IdfVersion

LONGEST_WAIT_S = 86_400.0


def path(text: str) -> Path:
    """A file or folder."""
    from pathlib import Path

    return Path(text)


def integer(text: str) -> int:
    """A number of 0 to 0xFFFFFFFF, decimal or with 0x, such as an address in flash."""
    if not re.fullmatch(r"0x[0-9a-f]+|[0-9]{1,10}", text, re.IGNORECASE) or int(text, 0) > 0xFFFFFFFF:
        raise ArgumentTypeError(f"{text!r} is no number: write it as 0x8000 or 32768")
    return int(text, 0)


def size(text: str) -> int:
    """A number of bytes: `24K`, `4MB`, `0x6000`, `24576`."""
    try:
        return parse_size(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None


def tcp_port(text: str) -> int:
    """A TCP port; 0 stands for a free one."""
    if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > 0xFFFF:
        raise ArgumentTypeError(f"{text!r} is no TCP port: there are 1 to 65535, and 0 takes a free one")
    return int(text)


def baud(text: str) -> int:
    """A baud rate."""
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) == 0:
        raise ArgumentTypeError(f"{text!r} is no baud rate: write it as 115200")
    return int(text)


def seconds(text: str) -> float:
    """A time to wait, above 0."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= LONGEST_WAIT_S:
        raise ArgumentTypeError(f"{text!r} is no time to wait: write seconds, such as 15, at most a day")
    return seconds


def idf(text: str) -> IdfVersion:
    """An ESP-IDF release."""
    from fctry.partitions.keywords import parse_idf

    try:
        return parse_idf(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None


def mac(text: str) -> bytes:
    """A MAC address of six hexadecimal bytes, with or without colons or dashes."""
    digits = text.replace(":", "").replace("-", "")
    if not re.fullmatch(r"[0-9a-fA-F]{12}", digits):
        raise ArgumentTypeError(f"{text!r} is no MAC address: write it as 24:0a:c4:00:00:01")
    return bytes.fromhex(digits)
