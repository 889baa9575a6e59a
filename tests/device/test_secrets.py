"""Secrets: a namespace of their own, never on the wire, proven by challenge and response."""

import base64
import hashlib
import hmac
import secrets

import pytest

from fctry.nvs import Item, ItemType

from .identities import ARTICLE

PASSWORD = "correct horse battery staple"
PIN = Item("secrets", "pairing_pin", ItemType.BLOB, bytes.fromhex("00ff10a5") * 6)
SECRETS = (Item("secrets", "password", ItemType.STR, PASSWORD), PIN)


@pytest.fixture
def device(factory_device, image_of):
    """A device whose factory partition holds secrets beside the article's keys."""
    factory_device.flash_factory(image_of(*ARTICLE, *SECRETS))
    return factory_device


def proof_of(device, key):
    challenge = secrets.token_bytes(32)
    answer = device.ask(f"prove secrets {key} {challenge.hex()}")
    return challenge, answer


@pytest.mark.parametrize(("key", "value"), [("password", PASSWORD.encode()), ("pairing_pin", PIN.value)])
def test_proof_is_accepted_for_the_right_value_and_no_other(device, key, value):
    challenge, answer = proof_of(device, key)
    (proof,) = answer.named("proof")
    assert proof["hmac"] == hmac.new(value, challenge, hashlib.sha256).hexdigest()
    assert proof["hmac"] != hmac.new(value + b"x", challenge, hashlib.sha256).hexdigest()


def test_proof_of_another_challenge_is_another(device):
    assert proof_of(device, "password")[1].named("proof") != proof_of(device, "password")[1].named("proof")


def test_secret_that_is_not_there_has_no_proof(device):
    _, answer = proof_of(device, "other")
    assert answer.named("proof") == []
    assert answer.result == "ESP_ERR_NVS_NOT_FOUND"


@pytest.mark.parametrize("challenge", ["", "zz" * 16, "00" * 15, "00" * 65, "0" * 33])
def test_bad_challenge_has_no_proof(device, challenge):
    answer = device.ask(f"prove secrets password {challenge}")
    assert answer.named("proof") == []
    assert answer.result in ("ESP_ERR_INVALID_ARG", "ESP_ERR_INVALID_SIZE")


def test_secrets_are_never_on_the_wire(device):
    device.reset()
    for command in ("factory", "factory-get password", "user-list", "info", "help"):
        device.ask(command)
    challenge, _ = proof_of(device, "password")
    proof_of(device, "pairing_pin")
    console = device.console()
    assert ARTICLE[0].value.encode() in console  # so that is what was said
    pin = PIN.value
    forms = [PASSWORD.encode(), pin, pin.hex().encode(), pin.hex(" ").upper().encode(), base64.b64encode(pin)]
    assert [form for form in (*forms, challenge.hex().encode()) if form in console] == []
