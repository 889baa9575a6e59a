"""`fctry image keys` and `decrypt`, and the keys that the other actions are given."""

from __future__ import annotations

import argparse
import secrets
import sys
from pathlib import Path

from fctry.cli.files import keep_inputs, naming, read_file, write_file, write_secrets
from fctry.errors import InputError
from fctry.findings import Finding
from fctry.nvs.checker import check
from fctry.nvs.contents import Contents, read
from fctry.nvs.encryption import KEY_SIZE_BYTES, Keys
from fctry.nvs.encryption import decrypt as decrypt_image
from fctry.nvs.problems import ERROR, RULES
from fctry.nvs.values import read_items


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


def read_rest(path: str, args: argparse.Namespace) -> tuple[bytes, Contents, list[Finding]]:
    """An image, its contents, and the errors that lose some of its keys. Raises InputError if nothing is left."""
    image = read_image(path, args)
    with naming(path):
        contents = read(image)
    found = check(image, read_only=True, is_decrypted=bool(args.keys or args.hmac_key))
    errors = [one for one in found if one.severity == RULES[one.code].severity == ERROR]
    if errors and not read_items(contents):
        raise InputError(f"nothing can be read: {errors[-1].message}", hint=errors[-1].hint, file=path)
    return image, contents, errors


def print_errors(path: str, errors: list[Finding]) -> int:
    """Say on stderr what was lost. Returns the exit code."""
    for one in errors:
        print(f"{path}: {one.severity.value}: {one.where}: {one.message} ({one.code})", file=sys.stderr)
    return 1 if errors else 0


def keys(args: argparse.Namespace) -> int:
    output = Path(args.output)
    if args.new_hmac_key:
        hmac_key = secrets.token_bytes(KEY_SIZE_BYTES)
        made = Keys.from_hmac_key(hmac_key)
        write_secrets((Path(args.new_hmac_key), hmac_key), (output, made.to_partition()))
    else:
        made = _derived(args.hmac_key) if args.hmac_key else Keys.generate()
        write_secrets((output, made.to_partition()))
    print(f"{args.output}: keys for a partition of subtype nvs_keys, readable by you alone")
    return 0


def decrypt(args: argparse.Namespace) -> int:
    output = Path(args.output)
    keep_inputs([output], [args.image, args.keys, args.hmac_key])
    image, _, errors = read_rest(args.image, args)
    write_file(output, image)
    print(f"{output}: decrypted")
    return print_errors(args.image, errors)
