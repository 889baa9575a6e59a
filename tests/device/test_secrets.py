"""Secrets: a namespace of their own, never on the wire, proven by challenge and response."""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable

import pytest

from fctry.device import Answer
from fctry.device.commands import Challenge
from fctry.nvs import Item, ItemType
from fctry.pytest_plugin import FactoryDevice

from .identities import ARTICLE, LIMITS

PASSWORD = "correct horse battery staple"
PIN = Item("secrets", "pairing_pin", ItemType.BLOB, bytes.fromhex("00ff10a5") * 6)
SECRETS = (Item("secrets", "password", ItemType.STR, PASSWORD), PIN)


@pytest.fixture
def device(factory_device: FactoryDevice, image_of: Callable[..., bytes]) -> FactoryDevice:
    """A device whose factory partition holds secrets beside the article's keys."""
    factory_device.flash_factory(image_of(*ARTICLE, *SECRETS))
    return factory_device


def is_accepted(device: FactoryDevice, key: str, value: bytes) -> bool:
    challenge, answer = proof_of(device, key)
    (proof,) = answer.named("proof")
    kind = "str" if key == "password" else "blob"
    message = f"fctry proof 1\0secrets\0{key}\0{kind}\0".encode() + challenge
    return proof["hmac"] == hmac.new(value, message, hashlib.sha256).hexdigest()


def proof_of(device: FactoryDevice, key: str) -> tuple[bytes, Answer]:
    challenge = secrets.token_bytes(32)
    answer = device.ask(f"prove secrets {key} {challenge.hex()}")
    return challenge, answer


@pytest.mark.parametrize(("key", "value"), [("password", PASSWORD.encode()), ("pairing_pin", PIN.value)])
def test_proof_is_accepted_for_the_right_value(device: FactoryDevice, key: str, value: bytes) -> None:
    assert is_accepted(device, key, value)


def test_proof_is_refused_for_another_value(device: FactoryDevice, image_of: Callable[..., bytes]) -> None:
    device.flash_factory(image_of(*ARTICLE, Item("secrets", "password", ItemType.STR, PASSWORD[:-1])))
    assert not is_accepted(device, "password", PASSWORD.encode())
    assert is_accepted(device, "password", PASSWORD[:-1].encode())


def test_value_of_every_type_is_proven(device: FactoryDevice, image_of: Callable[..., bytes]) -> None:
    items = [*LIMITS, Item("secrets", "empty", ItemType.STR, ""), Item("secrets", "none", ItemType.BLOB, b"")]
    device.flash_factory(image_of(*ARTICLE, *items))
    for item in items:
        challenge = Challenge(item)
        assert challenge.verdict(device.ask(challenge.command.text)), item


def test_proof_of_another_challenge_is_another(device: FactoryDevice) -> None:
    assert proof_of(device, "password")[1].named("proof") != proof_of(device, "password")[1].named("proof")


def test_secret_that_is_not_there_has_no_proof(device: FactoryDevice) -> None:
    _, answer = proof_of(device, "other")
    assert answer.named("proof") == []
    assert answer.result == "ESP_ERR_NVS_NOT_FOUND"


@pytest.mark.parametrize("challenge", ["", "zz" * 16, "00" * 15, "00" * 65, "0" * 33])
def test_bad_challenge_has_no_proof(device: FactoryDevice, challenge: str) -> None:
    answer = device.ask(f"prove secrets password {challenge}")
    assert answer.named("proof") == []
    assert answer.result in ("ESP_ERR_INVALID_ARG", "ESP_ERR_INVALID_SIZE")


def test_secrets_are_never_on_the_wire(device: FactoryDevice) -> None:
    device.reset()
    for command in ("factory", "factory-get password", "user-list", "info", "help"):
        device.ask(command)
    challenge, _ = proof_of(device, "password")
    proof_of(device, "pairing_pin")
    console = device.said()
    assert found_in(console, ARTICLE[0].value.encode())  # so that is what was said
    assert [secret for secret in (PASSWORD.encode(), PIN.value, challenge) if found_in(console, secret)] == []


def found_in(console: bytes, secret: bytes) -> bool:
    """Whether the console shows it: as it is, in hexadecimal, also spread over the lines of a dump, or in base64."""
    digits = re.sub(r"[^0-9a-f]", "", re.sub(r"(?m)^.*\) \w+: ", "", console.decode("latin-1")).lower())
    return secret in console or secret.hex() in digits or base64.b64encode(secret).rstrip(b"=") in console
