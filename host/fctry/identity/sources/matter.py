"""What a Matter device is commissioned with: passcode, discriminator, SPAKE2+ verifier, QR payload, manual code.

Source: Matter Core Specification 1.3, 3.10 (SPAKE2+ verifier), 5.1.3 (QR payload), 5.1.4 (manual code);
connectedhomeip, src/platform/ESP32/ESP32FactoryDataProvider.cpp (salt and verifier are base64 in flash).
"""

from __future__ import annotations

import secrets
from base64 import b64encode
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from hashlib import pbkdf2_hmac
from typing import ClassVar

from fctry.errors import InputError
from fctry.identity.sources.setup_code import CODES, draw_code
from fctry.identity.sources.source import Drawn, Given, Part, Source
from fctry.identity.spec_options import option

DISCRIMINATORS = 1 << 12
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
P256_BYTES = 32
WS_BYTES = P256_BYTES + 8
PAYLOAD_BYTES = 11
BASE38 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-."
BASE38_DIGITS = {1: 2, 2: 4, 3: 5}  # digits for so many bytes


@dataclass(frozen=True)
class Matter(Source):
    """The passcode need not be in flash: the verifier is what the device checks it with. It gives the passcode away to
    whom can compute, so it is a secret too.
    """

    KIND: ClassVar[str] = "matter"
    PARTS: ClassVar[Mapping[str, Part]] = {
        "passcode": Part("passcode, 8 digits", is_secret=True),
        "discriminator": Part("12 bits"),
        "iterations": Part("rounds of PBKDF2"),
        "salt": Part("SPAKE2+ salt, base64"),
        "verifier": Part("SPAKE2+ verifier, base64", is_secret=True),
        "payload": Part("text of the QR code, MT:…", is_secret=True),
        "manual_code": Part("manual pairing code, 11 or 21 digits", is_secret=True),
        "vendor_id": Part("vendor id, decimal"),
        "product_id": Part("product id, decimal"),
        "vid": Part("vendor id as a certificate has it: FFF1"),
        "pid": Part("product id as a certificate has it: 8000"),
    }
    vendor_id: int = option("given by the CSA; 0xFFF1 to 0xFFF4 are for tests", minimum=1, maximum=0xFFF4)
    product_id: int = option("your own number of the product", minimum=1, maximum=0xFFFF)
    discovery: int = option(
        "how it is found: the sum of 2 Bluetooth LE, 4 IP network, 8 Wi-Fi PAF, 16 NFC, 32 Thread",
        2,
        minimum=2,
        maximum=62,
    )
    flow: int = option("to commission it: 0 standard, 1 user intent, 2 custom", 0, minimum=0, maximum=2)
    iterations: int = option("rounds of PBKDF2", 10_000, minimum=1_000, maximum=100_000)
    salt_size_bytes: int = option("size of the SPAKE2+ salt", 32, minimum=16, maximum=32)

    def __post_init__(self) -> None:
        if self.discovery & 1:
            raise InputError(
                f"discovery {self.discovery} has the reserved bit 0", hint="it is an even number"
            )

    @property
    def is_random(self) -> bool:
        return True

    def capacity(self, part: str) -> int:
        return {
            "passcode": CODES,
            "discriminator": DISCRIMINATORS,
            "salt": 1 << 8 * self.salt_size_bytes,
            "verifier": CODES << 8 * self.salt_size_bytes,
            "payload": CODES * DISCRIMINATORS,
            "manual_code": CODES * (DISCRIMINATORS >> 8),
        }.get(part, 1)

    def draw(self, given: Given) -> Mapping[str, Drawn]:
        return given.prepared or self.prepare(given.parts)

    def prepare(self, parts: Collection[str] | None = None) -> Mapping[str, Drawn]:
        passcode, discriminator = draw_code(), secrets.randbelow(DISCRIMINATORS)
        salt = secrets.token_bytes(self.salt_size_bytes)
        drawn = {
            "passcode": f"{passcode:08}",
            "discriminator": str(discriminator),
            "iterations": str(self.iterations),
            "salt": b64encode(salt).decode(),
            "payload": self.qr_payload(passcode, discriminator),
            "manual_code": self.manual_code(passcode, discriminator),
            "vendor_id": str(self.vendor_id),
            "product_id": str(self.product_id),
            "vid": f"{self.vendor_id:04X}",
            "pid": f"{self.product_id:04X}",
        }
        if parts is None or "verifier" in parts:
            drawn["verifier"] = b64encode(spake2p_verifier(passcode, salt, self.iterations)).decode()
        return drawn

    def qr_payload(self, passcode: int, discriminator: int) -> str:
        """The text of the QR code: from bit 0, version, ids, flow, discovery, discriminator, passcode."""
        bits = self.vendor_id << 3 | self.product_id << 19 | self.flow << 35 | self.discovery << 37
        bits |= discriminator << 45 | passcode << 57
        return "MT:" + base38(bits.to_bytes(PAYLOAD_BYTES, "little"))

    def manual_code(self, passcode: int, discriminator: int) -> str:
        """11 digits to type, or 21 where the flow is not the standard one; the last one is a check digit."""
        short = discriminator >> 8
        has_ids = self.flow != 0
        code = f"{has_ids << 2 | short >> 2}{(short & 3) << 14 | passcode & 0x3FFF:05}{passcode >> 14:04}"
        if has_ids:
            code += f"{self.vendor_id:05}{self.product_id:05}"
        from stdnum import verhoeff  # with which come SSL and pydoc

        return code + verhoeff.calc_check_digit(code)


def spake2p_verifier(passcode: int, salt: bytes, iterations: int) -> bytes:
    """The 97 bytes w0 and L that prove knowledge of a passcode."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    ws = pbkdf2_hmac("sha256", passcode.to_bytes(4, "little"), salt, iterations, 2 * WS_BYTES)
    w0, w1 = (int.from_bytes(half, "big") % P256_ORDER for half in (ws[:WS_BYTES], ws[WS_BYTES:]))
    point = ec.derive_private_key(w1, ec.SECP256R1()).public_key()  # w1 times the generator
    return w0.to_bytes(P256_BYTES, "big") + point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def base38(data: bytes) -> str:
    """Three bytes in five digits, the least significant ones first. Source: the specification, 5.1.3.1."""
    digits = ""
    for start in range(0, len(data), 3):
        chunk = data[start : start + 3]
        number = int.from_bytes(chunk, "little")
        for _ in range(BASE38_DIGITS[len(chunk)]):
            number, digit = divmod(number, len(BASE38))
            digits += BASE38[digit]
    return digits
