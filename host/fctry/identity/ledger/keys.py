"""Keys that the ledger's secrets hang on, kept outside of the ledger: the index key, and the office's age keys.

The index key makes blind indices: HMAC-SHA256 of a secret, so that its uniqueness can be enforced by a database that
cannot tell what it is. Whoever has index key and ledger can try 8-digit codes one after the other.
Source: age v1 (https://age-encryption.org/v1), through pyrage.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyrage

from fctry.errors import LedgerError
from fctry.files import reason_of, write_secrets
from fctry.identity.draft import Claim
from fctry.identity.sealing import encrypt_for
from fctry.nvs.item import Value

INDEX_KEY_BYTES = 32
TAG_BYTES, SECRET_TAG_BYTES = 8, 3


class IndexKey:
    """The key of the blind indices of one ledger."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @property
    def id(self) -> str:
        """What tells this key from another, and does not give it away."""
        return hmac.digest(self._key, b"fctry index key id", "sha256").hex()[:16]

    def blind(self, scope: str, value: bytes) -> bytes:
        """The blind index of a value, 32 bytes."""
        return hmac.digest(self._key, scope.encode() + b"\0" + value, "sha256")

    def stored(self, one: Claim) -> bytes:
        """What the ledger has of a claim's value."""
        return self.blind(one.scope, one.value) if one.is_secret else one.value

    def tag(self, scope: str, stored: bytes, *, is_secret: bool) -> str:
        """What a station remembers of a value that it has handed out, beside this key.

        Of a secret so little that several codes of eight digits have the same: who finds it has none of them.
        """
        size_bytes = SECRET_TAG_BYTES if is_secret else TAG_BYTES
        return hmac.digest(self._key, b"tag\0" + scope.encode() + b"\0" + stored, "sha256")[:size_bytes].hex()


def index_key(folder: Path, ledger: str, *, expected_id: str | None = None) -> IndexKey:
    """The index key of a ledger in `folder`; made if `expected_id` is None. Raises LedgerError where it is missing."""
    path = folder / f"{ledger}.index-key"
    if expected_id is None:
        _write(path, secrets.token_bytes(INDEX_KEY_BYTES).hex().encode() + b"\n")
    try:
        key = IndexKey(bytes.fromhex(path.read_text().strip()))
    except (OSError, ValueError) as error:
        raise LedgerError(
            f"the ledger's index key cannot be read: {reason_of(error)}",
            hint="copy it, by a safe way, from the station that made the ledger: all need the same",
            file=path,
        ) from None
    if expected_id is not None and key.id != expected_id:
        raise LedgerError("this is the index key of another ledger", hint="copy the right one", file=path)
    return key


def new_key_pair(folder: Path, ledger: str) -> tuple[Path, str]:
    """Make an age key pair. Returns the file of the private key, readable by its owner alone, and the recipient."""
    identity = pyrage.x25519.Identity.generate()
    path = folder / f"{ledger}.agekey"
    _write(path, f"# recipient: {identity.to_public()}\n{identity}\n".encode())
    return path, str(identity.to_public())


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_secrets((path, data))


def seal(values: Mapping[str, Value], recipients: Sequence[str]) -> bytes:
    """Encrypt secrets so that only the owners of the recipients' private keys can read them."""
    return encrypt_for(json.dumps(as_json(values)).encode(), recipients)


def reveal(sealed: bytes, private_key: Path) -> dict[str, Value]:
    """Read sealed secrets. Raises LedgerError when the key cannot."""
    try:
        text = private_key.read_text()
        found = [line for line in text.splitlines() if line.startswith("AGE-SECRET-KEY-")]
        identities = [pyrage.x25519.Identity.from_str(line) for line in found]
        return from_json(json.loads(pyrage.decrypt(sealed, identities)))
    except (OSError, UnicodeDecodeError, pyrage.IdentityError, pyrage.DecryptError) as error:
        raise LedgerError(
            f"cannot read the secrets: {reason_of(error)}",
            hint="give the private key of one of the ledger's recipients, as `age-keygen` writes it",
            file=private_key,
        ) from None


def as_json(values: Mapping[str, Value]) -> dict[str, object]:
    """Values as JSON has them: bytes as `{"base64": …}`."""
    return {
        name: {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value
        for name, value in values.items()
    }


def from_json(values: Mapping[str, object]) -> dict[str, Value]:
    """What `as_json` was given."""
    return {
        name: base64.b64decode(value["base64"]) if isinstance(value, dict) else value  # type: ignore[misc]
        for name, value in values.items()
    }
