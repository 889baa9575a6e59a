"""Passwords, out of the operating system's CSPRNG."""

from __future__ import annotations

import math
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from fctry.errors import InputError
from fctry.identity.sources.source import Drawn, Given, Part, Source
from fctry.identity.spec_options import option

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz"  # without 0 O o, 1 I l


@dataclass(frozen=True)
class Password(Source):
    """Random characters, each as likely as any other."""

    KIND: ClassVar[str] = "password"
    PARTS: ClassVar[Mapping[str, Part]] = {"": Part("the password", is_secret=True)}
    length: int = option("number of characters", 16, minimum=1, maximum=1000)
    alphabet: str = option("its characters (default: digits and letters without look-alikes)", ALPHABET)
    floor_bits: int = option("entropy that it must have at least, in bits", 64, minimum=0, maximum=4096)

    def __post_init__(self) -> None:
        if len(set(self.alphabet)) < max(2, len(self.alphabet)) or not self.alphabet.isprintable():
            raise InputError("its alphabet is none", hint="give at least two printable characters, each once")

    @property
    def entropy_bits(self) -> float:
        return self.length * math.log2(len(self.alphabet))

    @property
    def is_random(self) -> bool:
        return True

    def capacity(self, part: str) -> int:
        return int(len(self.alphabet) ** self.length)

    def weakness(self) -> str:
        if self.entropy_bits >= self.floor_bits:
            return ""
        return f"{self.entropy_bits:.0f} bits of entropy, below the floor of {self.floor_bits}"

    def draw(self, given: Given) -> Mapping[str, Drawn]:
        return {"": "".join(secrets.choice(self.alphabet) for _ in range(self.length))}
