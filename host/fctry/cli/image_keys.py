"""`fctry image keys` and `decrypt`, and the keys that the other actions are given."""

from __future__ import annotations

import argparse
import secrets
from pathlib import Path

from fctry.cli.files import naming, read_file, write_file, write_secret
from fctry.nvs.encryption import KEY_SIZE_BYTES, Keys
from fctry.nvs.encryption import decrypt as decrypt_image


def keys_of(args: argparse.Namespace) -> Keys | None:
    """The keys of the options --keys or --hmac-key. Raises InputError or FormatError that names the file."""
    if args.hmac_key:
        return _derived(args.hmac_key)
    if not args.keys:
        return None
    with naming(args.keys):
        return Keys.from_partition(read_file(Path(args.keys)))


def _derived(path: str) -> Keys:
    with naming(path):
        return Keys.from_hmac_key(read_file(Path(path)))


def read_image(path: str, args: argparse.Namespace) -> bytes:
    """An image, decrypted if the options give keys."""
    image = read_file(Path(path))
    keys = keys_of(args)
    with naming(path):
        return decrypt_image(image, keys) if keys else image


def keys(args: argparse.Namespace) -> int:
    if args.new_hmac_key:
        hmac_key = secrets.token_bytes(KEY_SIZE_BYTES)
        write_secret(Path(args.new_hmac_key), hmac_key)
        made = Keys.from_hmac_key(hmac_key)
    elif args.hmac_key:
        made = _derived(args.hmac_key)
    else:
        made = Keys.generate()
    write_secret(Path(args.output), made.to_partition())
    print(f"{args.output}: keys for a partition of subtype nvs_keys, readable by you alone")
    return 0


def decrypt(args: argparse.Namespace) -> int:
    write_file(Path(args.output), read_image(args.image, args))
    print(f"{args.output}: decrypted")
    return 0
