"""Write an encrypted image in plain."""

from __future__ import annotations

import argparse

from fctry.cli.arguments import path
from fctry.cli.image.dump import add_dump, where_in
from fctry.cli.image.opened import open_image
from fctry.cli.options import add_keys, inputs_of, keys_of
from fctry.files import keep_inputs, write_file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("image", type=path)
    parser.add_argument(
        "-o", "--output", type=path, required=True, metavar="FILE", help="where the plain image goes"
    )
    add_keys(parser, required=True)
    add_dump(parser)


def run(args: argparse.Namespace) -> int:
    keep_inputs([args.output], inputs_of(args))
    image = open_image(args.image, keys_of(args), where_in(args), needs_items=True)
    write_file(args.output, image.data, is_private=True)
    print(f"{args.output}: decrypted")
    return 1 if image.errors else 0
