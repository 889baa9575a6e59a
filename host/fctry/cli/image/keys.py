"""Make the keys of an encrypted partition: random ones, or those that a device derives from its HMAC key.

fctry image keys -o keys.bin
"""

from __future__ import annotations

import secrets

from fctry.cli.arguments import Arguments, Option, path
from fctry.cli.options import keys_of
from fctry.cli.text import say_written
from fctry.files import write_secrets
from fctry.nvs.encryption import KEY_SIZE_BYTES, Keys

PARAMETERS = (
    Option(
        "-o",
        "--output",
        type=path,
        required=True,
        metavar="FILE",
        help="where the image of the key partition (nvs_keys) goes",
    ),
    Option(
        "--hmac-key", type=path, metavar="FILE", help="derive the keys from this HMAC key, as the device does"
    ),
    Option(
        "--new-hmac-key",
        type=path,
        metavar="FILE",
        help="make an HMAC key, write it here, and derive them from it",
        excludes="--hmac-key",
    ),
)


def run(args: Arguments) -> int:
    if args.new_hmac_key:
        hmac_key = secrets.token_bytes(KEY_SIZE_BYTES)
        made = Keys.from_hmac_key(hmac_key)
        write_secrets((args.new_hmac_key, hmac_key), (args.output, made.to_partition()))
    else:
        made = keys_of(Arguments(keys=None, hmac_key=args.hmac_key)) or Keys.generate()
        write_secrets((args.output, made.to_partition()))
    say_written(args.output, "keys for a partition of subtype nvs_keys, readable by you alone")
    return 0
