"""A certificate for each device, signed by a CA of yours, and its private key.

Source: RFC 5280; RFC 4514 (how a subject is written); Matter Core Specification 1.3, 6.2.2.3 (DAC).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from fctry.errors import InputError
from fctry.identity.sources.file import read_content
from fctry.identity.sources.source import Drawn, Given, Part, Source
from fctry.identity.sources.template import fill, references_in
from fctry.identity.spec_options import option

if TYPE_CHECKING:
    from cryptography import x509

KEYS = ("ec-p256", "ec-p384", "rsa-2048", "rsa-3072")
USAGES = (
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)
NEVER = datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone.utc)  # RFC 5280, 4.1.2.5: no well-defined end


@dataclass(frozen=True)
class Certificate(Source):
    """For TLS clients: AWS IoT, Azure, a broker of one's own. With vendor and product id in the subject, as DER and not
    for TLS, it is a Matter device attestation certificate.
    """

    KIND: ClassVar[str] = "certificate"
    PARTS: ClassVar[Mapping[str, Part]] = {
        "certificate": Part("the certificate", is_text=False),
        "key": Part("its private key, PKCS #8", is_secret=True, is_text=False),
        "raw_key": Part("the private number of an EC key", is_secret=True, is_text=False),
        "raw_public_key": Part("the point of an EC key, uncompressed", is_text=False),
    }
    ca_certificate: str = option("PEM file of the CA's certificate, relative to the spec")
    ca_key: str = option("PEM file of the CA's private key, relative to the spec")
    subject: str = option('as RFC 4514 has it, with values of other sources: "CN={serial},O=Example"')
    key: str = option("kind of the key", "ec-p256", choices=KEYS)
    days: int = option("validity; 0: without end", 0, minimum=0, maximum=36_500)
    format: str = option(
        "pem is text, for the encoding string; der is bytes, for binary", "pem", choices=("pem", "der")
    )

    tls: bool = option("has the extended key usage of a TLS client", True)

    def __post_init__(self) -> None:
        references_in(self.subject)
        _name(self.subject)

    @property
    def is_random(self) -> bool:
        return True

    @property
    def references(self) -> tuple[str, ...]:
        return references_in(self.subject)

    def prepare(self, parts: Collection[str] | None = None) -> bytes:
        """A private key as DER: one of RSA takes a quarter of a second to find."""
        from cryptography.hazmat.primitives import serialization

        plain = serialization.NoEncryption()
        der: bytes = _new_key(self.key).private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, plain
        )
        return der

    def draw(self, given: Given) -> Mapping[str, Drawn]:
        from cryptography.hazmat.primitives import serialization

        key = serialization.load_der_private_key(given.prepared or self.prepare(), None)
        certificate = self._signed(given, key)
        is_pem = self.format == "pem"
        encoding = serialization.Encoding.PEM if is_pem else serialization.Encoding.DER
        plain = serialization.NoEncryption()
        return {
            "certificate": certificate.public_bytes(encoding),
            "key": key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain),
            **_raw(key),
        }

    def _signed(self, given: Given, key: Any) -> x509.Certificate:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.x509.oid import ExtendedKeyUsageOID

        ca, ca_key = _read_ca(given.folder / self.ca_certificate, given.folder / self.ca_key)
        subject = self._subject(given)
        begin = given.context.now.astimezone(timezone.utc).replace(microsecond=0)
        if begin >= ca.not_valid_after_utc:
            raise InputError(
                f"the CA's certificate has expired: it is valid to {ca.not_valid_after_utc:%Y-%m-%d}",
                hint="renew it, or set the clock of this station",
            )
        end = min(begin + timedelta(self.days) if self.days else NEVER, ca.not_valid_after_utc)
        usages = dict.fromkeys(USAGES, False)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(ca.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(digital_signature=True, **usages), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(_authority(ca), critical=False)
        )
        if self.tls:
            usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
            builder = builder.add_extension(usage, critical=False)
        signs_itself = isinstance(ca_key, Ed25519PrivateKey | Ed448PrivateKey)  # with a hash of its own
        return builder.sign(ca_key, None if signs_itself else hashes.SHA256())

    def _subject(self, given: Given) -> x509.Name:
        from cryptography import x509

        names = [(one.oid, fill(str(one.value), given)) for one in _name(self.subject)]
        try:
            return x509.Name([x509.NameAttribute(oid, text) for oid, text in names])
        except ValueError as error:  # it tells lengths, and no value
            hint = "a common name has 64 characters at most: take a shorter value"
            raise InputError(f"subject {self.subject!r}: {error}", hint=hint) from None


def _name(subject: str) -> x509.Name:
    """The attributes of a subject, of which the values are templates."""
    from cryptography import x509

    try:
        name = x509.Name.from_rfc4514_string(subject)
        if not name.rdns:
            raise ValueError
        return name
    except ValueError:
        raise InputError(
            f"subject {subject!r} is none", hint='write it as "CN={serial},O=Example": a comma within is \\,'
        ) from None


def _authority(ca: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    from cryptography import x509

    try:
        known = ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.public_key())  # type: ignore[arg-type]
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(known)


def _raw(key: Any) -> Mapping[str, bytes]:
    """An EC key as those read it who know its curve."""
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    if not isinstance(key, EllipticCurvePrivateKey):
        return {}
    number = key.private_numbers().private_value
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return {"raw_key": number.to_bytes(key.key_size // 8, "big"), "raw_public_key": point}


def _new_key(kind: str) -> Any:
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    if kind.startswith("rsa-"):
        return rsa.generate_private_key(65537, int(kind.removeprefix("rsa-")))
    return ec.generate_private_key(ec.SECP384R1() if kind == "ec-p384" else ec.SECP256R1())


def _may_sign(ca: x509.Certificate) -> bool:
    from cryptography import x509

    try:
        return ca.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except x509.ExtensionNotFound:
        return True


@lru_cache
def _read_ca(certificate: Path, key: Path) -> tuple[x509.Certificate, Any]:
    """A CA. Raises InputError for files that are none, do not belong together, or are locked."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    pem, key_pem = read_content(certificate), read_content(key)
    try:
        ca = x509.load_pem_x509_certificate(pem)
        constraints = ca.extensions.get_extension_for_class(x509.BasicConstraints).value
    except (ValueError, x509.ExtensionNotFound):
        constraints = None
    if not constraints or not constraints.ca:
        raise InputError(
            f"{str(certificate)!r} is no CA's certificate", hint="give a PEM file with CA:TRUE in it"
        )
    if not _may_sign(ca):
        raise InputError(
            f"{str(certificate)!r} may not sign certificates",
            hint="its key usage has no keyCertSign: whoever verifies a device's certificate refuses it",
        )
    try:
        ca_key: Any = load_pem_private_key(key_pem, None)
    except (ValueError, TypeError):
        hint = "give a PEM file that is not encrypted, and keep it away from the station"
        raise InputError(f"{str(key)!r} is no private key that can be read", hint=hint) from None
    if ca_key.public_key() != ca.public_key():
        raise InputError(
            f"{str(key)!r} is not the key of {str(certificate)!r}",
            hint="give the CA's certificate and its own key",
        )
    return ca, ca_key
