"""Files that only their recipients can open.

Source: age v1 (https://age-encryption.org/v1), through pyrage.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyrage

from fctry.errors import InputError


def check_recipients(recipients: Sequence[str]) -> None:
    """Raise InputError for what is no age recipient."""
    for recipient in recipients:
        try:
            pyrage.x25519.Recipient.from_str(recipient)
        except pyrage.RecipientError:
            raise InputError(
                f"{recipient!r} is no age recipient", hint="they begin with age1; `age-keygen` makes a pair"
            ) from None


def encrypt_for(data: bytes, recipients: Sequence[str]) -> bytes:
    """Bytes as an age file that only the owners of the recipients' private keys can open."""
    keys = [pyrage.x25519.Recipient.from_str(recipient) for recipient in recipients]
    encrypted: bytes = pyrage.encrypt(data, keys)
    return encrypted
