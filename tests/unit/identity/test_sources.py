"""Sources of values, each against an independent implementation where there is one."""

from __future__ import annotations

import json
import os
import subprocess
import time
from base64 import b64decode
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from hashlib import sha512
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st
from pyhap.accessory import Accessory
from pyhap.hsrp import Server
from pyhap.params import get_srp_context
from stdnum import damm, luhn, mac, verhoeff
from stdnum.iso7064 import mod_11_10, mod_37_36

from fctry.errors import InputError
from fctry.identity.draft import Context
from fctry.identity.sources.certificate import Certificate
from fctry.identity.sources.file import File, read_content
from fctry.identity.sources.homekit import PRIME, HomeKit, setup_payload, srp_verifier
from fctry.identity.sources.mac import Mac
from fctry.identity.sources.password import ALPHABET, Password
from fctry.identity.sources.random_bytes import RandomBytes
from fctry.identity.sources.random_number import RandomNumber
from fctry.identity.sources.serial import Serial
from fctry.identity.sources.setup_code import CODES, FORBIDDEN_CODES
from fctry.identity.sources.source import Given, Source
from fctry.identity.sources.uuid4 import Uuid
from fctry.identity.spec_file import read_spec

NOW = datetime(2026, 3, 9, tzinfo=timezone.utc)


def draw(
    source: Source, counter: int = 0, drawn: Mapping[str, Any] | None = None, folder: Path | None = None
) -> Mapping[str, Any]:
    context = Context(NOW, lot="L7", line="2")
    return source.draw(Given(counter, context, drawn or {}, folder or Path()))


# -- serial numbers


def test_serial_has_counter_lot_line_and_date() -> None:
    source = Serial(template="{lot}/{line}/{date:%y%m%d}/{counter:04}")
    assert draw(source, 42)[""] == f"L7/2/{NOW.astimezone():%y%m%d}/0042"


def test_step_that_no_database_can_count_in_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "factory.toml"
    path.write_text(
        f'schema = 1\nproduct = "p"\n[sources.s]\nkind = "serial"\ntemplate = "{{counter}}"\nstep = {2**32 + 1}\n'
    )
    with pytest.raises(InputError, match="out of range"):
        read_spec(path)


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="Windows takes no time zone from the environment")
@pytest.mark.parametrize(("zone", "day"), [("EST5", "260308"), ("UTC0", "260309"), ("CST-8", "260309")])
def test_date_is_that_of_the_station(monkeypatch: pytest.MonkeyPatch, zone: str, day: str) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", zone)
        time.tzset()
        assert draw(Serial(template="{date:%y%m%d}{counter}"), 1)[""] == f"{day}1"
    time.tzset()


@pytest.mark.parametrize(
    ("check", "validator"),
    [
        ("luhn", luhn),
        ("mod_11_10", mod_11_10),
        ("damm", damm),
        ("verhoeff", verhoeff),
        ("mod_37_36", mod_37_36),
    ],
)
@given(counter=st.integers(1, 999_999))
def test_check_character_is_valid_for_python_stdnum(check: str, validator: ModuleType, counter: int) -> None:
    text = draw(Serial(template="{counter:06}{check}", check=check), counter)[""]
    assert validator.is_valid(text)
    changed = str((int(text[0]) + 1) % 10) + text[1:]
    assert not validator.is_valid(changed)


def test_check_character_covers_letters_with_mod_37_36_and_digits_with_the_others() -> None:
    assert mod_37_36.is_valid(
        draw(Serial(template="AB-{counter}{check}", check="mod_37_36"), 7)[""].replace("-", "")
    )
    assert draw(Serial(template="AB-{counter}{check}", check="luhn"), 7)[
        ""
    ] == "AB-7" + luhn.calc_check_digit("7")


@pytest.mark.parametrize("number", [0, 100])
def test_serial_outside_of_its_range_is_refused(number: int) -> None:
    with pytest.raises(InputError, match="outside of the range"):
        draw(Serial(template="{counter}", first=1, last=99), number)


@pytest.mark.parametrize(
    "options",
    [
        {"template": "constant"},
        {"template": "{counter"},
        {"template": "{counter}{check}"},
        {"template": "{check}{counter}", "check": "luhn"},
        {"template": "{counter}", "check": "luhn"},
        {"template": "{counter}", "first": 5, "last": 4},
        {"template": "{counter}{0}"},
    ],
)
def test_serial_that_cannot_be_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        Serial(**options)


def test_format_that_is_none_is_refused_when_it_is_drawn() -> None:
    with pytest.raises(InputError, match="no way to write it"):
        draw(Serial(template="{counter:%y}"), 1)


def test_lot_that_is_not_said_is_refused() -> None:
    with pytest.raises(InputError, match="`lot` is nothing"):
        Serial(template="{lot}{counter}").draw(Given(1, Context(NOW), {}))


# -- MAC addresses


@given(st.integers(0, 2**20), st.integers(1, 2**16), st.integers(1, 8))
def test_macs_of_a_block_are_valid_and_no_two_devices_share_an_address(
    first: int, count: int, step: int
) -> None:
    count = max(count, step)
    source = Mac(start=(0x240AC4 << 24 | first).to_bytes(6, "big").hex(":"), count=count, step=step)
    numbers = source.counter
    assert source.capacity("") == count // step
    devices = list(range(numbers.first, numbers.last + 1, numbers.step))[:5]
    texts = [draw(source, number)[""] for number in devices]
    assert all(mac.is_valid(text, validate_manufacturer=False) for text in texts)  # a search in 1 MB of text
    assert all(mac.is_universally_administered(text) for text in texts)
    end = int.from_bytes(draw(source, numbers.last)["bytes"], "big") + step - 1
    assert source.addresses[1] - step < end <= source.addresses[1]


def test_chip_takes_as_many_addresses_as_it_derives() -> None:
    assert Mac(start="240ac4000000", count=100, chip="esp32").capacity("") == 25
    assert Mac(start="240ac4000000", count=100, chip="esp32s2").capacity("") == 50


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"start": "01:00:5E:00:00:00", "count": 4}, "multicast"),
        ({"start": "02:00:00:00:00:00", "count": 4}, "locally"),
        ({"start": "00:00:00:00:00:00", "count": 4, "local": True}, "universally"),
        ({"start": "00:FF:FF:FF:FF:FF", "count": 2}, "another kind"),
        ({"start": "00:00:00:00:00", "count": 4}, "no MAC"),
        ({"start": "24:0A:C4:00:00:00", "count": 3, "chip": "esp32"}, "too small"),
    ],
)
def test_block_that_is_none_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Mac(**options)


def test_mac_outside_of_the_block_is_refused() -> None:
    source = Mac(start="24:0A:C4:00:00:00", count=8, chip="esp32")
    with pytest.raises(InputError, match="outside"):
        draw(source, source.counter.last + 4)


# -- what is random


def test_password_is_of_its_alphabet_and_has_its_entropy() -> None:
    source = Password(length=20)
    assert not set("0Oo1Il") & set(ALPHABET)
    text = draw(source)[""]
    assert len(text) == 20
    assert set(text) <= set(ALPHABET)
    assert text != draw(source)[""]
    assert Password(length=8, alphabet="0123456789").entropy_bits == pytest.approx(26.575, abs=0.001)
    assert Password(length=8, alphabet="0123456789").weakness().startswith("27 bits")
    assert not Password(length=8, alphabet="0123456789", floor_bits=26).weakness()


def test_password_uses_every_character_of_its_alphabet() -> None:
    assert set(draw(Password(length=1000, alphabet="abcd"))[""]) == set("abcd")


@pytest.mark.parametrize("alphabet", ["", "a", "aab", "a\n"])
def test_alphabet_that_is_none_is_refused(alphabet: str) -> None:
    with pytest.raises(InputError):
        Password(alphabet=alphabet)


@given(st.integers(-5, 5), st.integers(0, 5))
def test_random_number_is_in_its_range(low: int, width: int) -> None:
    source = RandomNumber(low=low, high=low + width)
    assert source.capacity("") == width + 1
    assert low <= int(draw(source)[""]) <= low + width


def test_random_bytes_and_uuids_are_of_their_size_and_differ() -> None:
    first, second = draw(RandomBytes(size_bytes=7)), draw(RandomBytes(size_bytes=7))
    assert len(first[""]) == 7
    assert first["hex"] == first[""].hex()
    assert first != second
    drawn = draw(Uuid())
    assert bytes.fromhex(drawn[""].replace("-", "")) == drawn["bytes"]
    assert drawn[""][14] == "4"


# -- HomeKit


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 99_999_999), st.integers(1, 255), st.text("0123456789ABCXYZ", min_size=4, max_size=4))
def test_payload_is_that_of_hap_python(number: int, category: int, setup_id: str) -> None:
    digits = f"{number:08}"
    pincode = f"{digits[:3]}-{digits[3:5]}-{digits[5:]}".encode()
    theirs = SimpleNamespace(
        category=category, driver=SimpleNamespace(state=SimpleNamespace(pincode=pincode, setup_id=setup_id))
    )
    assert setup_payload(number, category, 2, setup_id) == Accessory.xhm_uri(theirs)


@settings(max_examples=5, deadline=None)
@given(st.binary(min_size=16, max_size=16).filter(lambda salt: salt[0] != 0))
def test_verifier_is_that_of_hap_python(salt: bytes) -> None:
    theirs = Server(get_srp_context(3072, sha512, 16), b"Pair-Setup", b"101-48-005", s=salt)
    assert srp_verifier("101-48-005", salt) == theirs.v.to_bytes(384, "big")


@given(st.binary(min_size=16, max_size=16), st.integers(0, 99_999_999))
@settings(max_examples=20, deadline=None)
def test_verifier_is_a_power_of_the_generator(salt: bytes, number: int) -> None:
    inner = sha512(b"Pair-Setup:" + f"{number:08}".encode()).digest()
    exponent = int.from_bytes(sha512(salt + inner).digest(), "big")
    assert srp_verifier(f"{number:08}", salt) == pow(5, exponent, PRIME).to_bytes(384, "big")


def test_homekit_values_belong_together() -> None:
    drawn = draw(HomeKit(category=5))
    assert len(drawn["salt"]) == 16
    assert drawn["verifier"] == srp_verifier(drawn["code"], drawn["salt"])
    assert drawn["payload"].endswith(drawn["setup_id"])
    number = int(drawn["payload"].removeprefix("X-HM://")[:9], 36)
    assert f"{number & (1 << 27) - 1:08}" == drawn["code"].replace("-", "")
    assert number >> 31 == 5


def test_forbidden_codes_are_never_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(FORBIDDEN_CODES) == 12
    assert HomeKit().capacity("code") == CODES == 10**8 - 12
    numbers = iter([*sorted(FORBIDDEN_CODES), 12_345_679])
    letters = iter("AB12")
    monkeypatch.setattr("fctry.identity.sources.setup_code.secrets.randbelow", lambda limit: next(numbers))
    monkeypatch.setattr("fctry.identity.sources.homekit.secrets.choice", lambda alphabet: next(letters))
    assert draw(HomeKit())["code"] == "123-45-679"


# -- certificates and files


@pytest.fixture
def ca(tmp_path: Path) -> Path:
    """A folder with a CA: ca.pem and ca.key, made by OpenSSL."""
    command = (
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj /O=Example/CN=Factory"
        " -addext keyUsage=critical,keyCertSign"
    )
    files = ["-keyout", "ca.key", "-out", "ca.pem"]
    subprocess.run(["openssl", *command.split(), *files], cwd=tmp_path, check=True, capture_output=True)
    return tmp_path


def certificate(**options: str) -> Certificate:
    said = {"ca_certificate": "ca.pem", "ca_key": "ca.key", "subject": "CN={serial},O=A\\, B"}
    return Certificate(**{**said, **options})


@pytest.mark.parametrize("key", ["ec-p256", "ec-p384", "rsa-2048"])
def test_certificate_is_one_that_openssl_verifies(ca: Path, key: str) -> None:
    drawn = draw(certificate(key=key), drawn={"serial": "A,1"}, folder=ca)
    (ca / "device.pem").write_bytes(drawn["certificate"])
    options = "-x509_strict -no_check_time -purpose sslclient -CAfile ca.pem device.pem"
    done = subprocess.run(["openssl", "verify", *options.split()], cwd=ca, capture_output=True, text=True)
    assert done.stdout == "device.pem: OK\n", done.stderr
    found = x509.load_pem_x509_certificate(drawn["certificate"])
    assert found.subject.rfc4514_string() == "CN=A\\,1,O=A\\, B"
    private = serialization.load_pem_private_key(drawn["key"], None)
    assert private.public_key() == found.public_key()


def test_certificate_is_der_when_asked_for(ca: Path) -> None:
    drawn = draw(certificate(format="der"), drawn={"serial": "1"}, folder=ca)
    assert x509.load_der_x509_certificate(drawn["certificate"]).signature_hash_algorithm.name == "sha256"
    assert isinstance(serialization.load_der_private_key(drawn["key"], None), ec.EllipticCurvePrivateKey)


def test_certificate_for_matter_has_what_that_of_its_tool_has(ca: Path) -> None:
    recorded = json.loads(
        (Path(__file__).parents[2] / "data/matter/factory.json").read_text(encoding="utf-8")
    )
    der = next(text for key, _, text in recorded["values"] if key == "dac-cert")
    theirs = x509.load_der_x509_certificate(b64decode(der))
    ids = "1.3.6.1.4.1.37244.2.1={m.vid},1.3.6.1.4.1.37244.2.2={m.pid}"
    source = certificate(subject=f"CN=Lamp {{serial}},{ids}", format="der", tls=False)
    drawn = draw(source, drawn={"serial": "SN1", "m.vid": "FFF1", "m.pid": "8001"}, folder=ca)
    ours = x509.load_der_x509_certificate(drawn["certificate"])
    assert {one.oid: one.critical for one in ours.extensions} == {
        one.oid: one.critical for one in theirs.extensions
    }
    for kind in (x509.KeyUsage, x509.BasicConstraints):
        assert ours.extensions.get_extension_for_class(kind) == theirs.extensions.get_extension_for_class(
            kind
        )
    assert {one.oid for one in ours.subject} == {one.oid for one in theirs.subject}
    assert {one.value for one in ours.subject} == {"Lamp SN1", "FFF1", "8001"}
    key = serialization.load_der_private_key(drawn["key"], None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert ec.derive_private_key(
        int.from_bytes(drawn["raw_key"], "big"), ec.SECP256R1()
    ).private_numbers() == (key.private_numbers())
    point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), drawn["raw_public_key"])
    assert point == ours.public_key()
    assert (len(drawn["raw_key"]), len(drawn["raw_public_key"])) == (32, 65)


def test_rsa_key_has_no_raw_form(ca: Path) -> None:
    drawn = draw(certificate(key="rsa-2048"), drawn={"serial": "1"}, folder=ca)
    assert drawn.keys() == {"certificate", "key"}


def request_ca(folder: Path, options: str) -> None:
    """Make another CA, `other.pem` and `other.key`, by OpenSSL."""
    command = f"req -x509 -nodes -subj /CN=Other {options} -keyout other.key -out other.pem"
    subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)


OTHER = {"ca_certificate": "other.pem", "ca_key": "other.key"}


@pytest.mark.parametrize("algorithm", ["ed25519", "ed448", "rsa:2048"])
def test_ca_may_have_a_key_of_another_kind(tmp_path: Path, algorithm: str) -> None:
    request_ca(tmp_path, f"-newkey {algorithm} -days 3650 -addext keyUsage=critical,keyCertSign")
    drawn = draw(certificate(**OTHER), drawn={"serial": "1"}, folder=tmp_path)
    (tmp_path / "device.pem").write_bytes(drawn["certificate"])
    options = "-x509_strict -no_check_time -purpose sslclient -CAfile other.pem device.pem"
    done = subprocess.run(
        ["openssl", "verify", *options.split()], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout == "device.pem: OK\n", done.stderr


def test_ca_that_may_not_sign_is_refused(tmp_path: Path) -> None:
    request_ca(tmp_path, "-newkey ed25519 -days 3650 -addext keyUsage=critical,digitalSignature")
    with pytest.raises(InputError, match="may not sign certificates"):
        draw(certificate(**OTHER), drawn={"serial": "1"}, folder=tmp_path)


def test_ca_that_has_expired_is_refused(ca: Path) -> None:
    (ca / "ca.key").rename(ca / "other.key")
    old = x509.load_pem_x509_certificate((ca / "ca.pem").read_bytes())
    key = serialization.load_pem_private_key((ca / "other.key").read_bytes(), None)
    builder = x509.CertificateBuilder(old.subject, old.subject, old.public_key(), 1)
    builder = builder.not_valid_before(NOW - timedelta(2)).not_valid_after(NOW)
    builder = builder.add_extension(x509.BasicConstraints(True, None), critical=True)
    expired = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    (ca / "other.pem").write_bytes(expired)
    with pytest.raises(InputError, match="expired: it is valid to 2026-03-09"):
        draw(certificate(**OTHER), drawn={"serial": "1"}, folder=ca)


def test_value_that_is_too_long_for_a_subject_is_refused_and_not_told(ca: Path) -> None:
    with pytest.raises(InputError, match=r"'CN=\{serial\},O=A.*<= 64") as caught:
        draw(certificate(), drawn={"serial": "7" * 65}, folder=ca)
    assert "777" not in str(caught.value)


def test_key_of_another_ca_is_refused(ca: Path) -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    pem = other.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (ca / "other.key").write_bytes(pem)
    with pytest.raises(InputError, match="is not the key of"):
        draw(certificate(ca_key="other.key"), drawn={"serial": "1"}, folder=ca)


def test_ca_that_is_none_is_refused(ca: Path) -> None:
    drawn = draw(certificate(), drawn={"serial": "1"}, folder=ca)
    (ca / "leaf.pem").write_bytes(drawn["certificate"])
    (ca / "leaf.key").write_bytes(drawn["key"])
    with pytest.raises(InputError, match="no CA's certificate"):
        draw(certificate(ca_certificate="leaf.pem", ca_key="leaf.key"), drawn={"serial": "1"}, folder=ca)


def test_locked_key_of_a_ca_is_refused_without_telling_more(ca: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    locked = serialization.BestAvailableEncryption(b"x")
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked)
    (ca / "locked.key").write_bytes(pem)
    with pytest.raises(InputError, match="no private key that can be read"):
        draw(certificate(ca_key="locked.key"), drawn={"serial": "1"}, folder=ca)


def test_subject_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="subject"):
        certificate(subject="{serial}")
    with pytest.raises(InputError, match="subject"):
        certificate(subject="")


def test_pipe_in_place_of_a_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="it is no file"):
        read_content(tmp_path / "pipe")


def test_file_of_each_device_is_read(tmp_path: Path) -> None:
    (tmp_path / "A1.bin").write_bytes(b"\x00\xff")
    source = File(path="{serial}.bin")
    assert draw(source, drawn={"serial": "A1"}, folder=tmp_path)[""] == b"\x00\xff"
    with pytest.raises(InputError, match="cannot read"):
        draw(source, drawn={"serial": "A2"}, folder=tmp_path)


def test_digest_of_a_certificate_is_that_of_its_ca(ca: Path) -> None:
    drawn = draw(certificate(), drawn={"serial": "1"}, folder=ca)
    found = x509.load_pem_x509_certificate(drawn["certificate"])
    authority = x509.load_pem_x509_certificate((ca / "ca.pem").read_bytes())
    found.verify_directly_issued_by(authority)
    assert isinstance(found.signature_hash_algorithm, hashes.SHA256)
