"""Make the keys of an encrypted partition: random ones, or those that a device derives from its HMAC key."""

from __future__ import annotations

import argparse
import secrets

from fctry.cli.arguments import path
from fctry.cli.options import keys_of
from fctry.files import write_secrets
from fctry.nvs.encryption import KEY_SIZE_BYTES, Keys


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-o",
        "--output",
        type=path,
        required=True,
        metavar="FILE",
        help="image of the key partition (nvs_keys)",
    )
    hmac = parser.add_mutually_exclusive_group()
    hmac.add_argument(
        "--hmac-key", type=path, metavar="FILE", help="derive the keys from this HMAC key, as the device does"
    )
    hmac.add_argument(
        "--new-hmac-key",
        type=path,
        metavar="FILE",
        help="make an HMAC key, write it here, and derive them from it",
    )
    parser.set_defaults(keys=None)


def run(args: argparse.Namespace) -> int:
    if args.new_hmac_key:
        hmac_key = secrets.token_bytes(KEY_SIZE_BYTES)
        made = Keys.from_hmac_key(hmac_key)
        write_secrets((args.new_hmac_key, hmac_key), (args.output, made.to_partition()))
    else:
        made = keys_of(args) or Keys.generate()
        write_secrets((args.output, made.to_partition()))
    print(f"{args.output}: keys for a partition of subtype nvs_keys, readable by you alone")
    return 0
