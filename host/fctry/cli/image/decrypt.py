"""Write an encrypted image in plain."""

from __future__ import annotations

import argparse

from fctry.cli.arguments import path
from fctry.cli.image.opened import open_rest, print_errors
from fctry.cli.options import add_keys, inputs_of
from fctry.files import keep_inputs, write_file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("image", type=path)
    parser.add_argument(
        "-o", "--output", type=path, required=True, metavar="FILE", help="where the plain image goes"
    )
    add_keys(parser, required=True)


def run(args: argparse.Namespace) -> int:
    keep_inputs([args.output], inputs_of(args))
    image, _, errors = open_rest(args.image, args)
    write_file(args.output, image, is_private=True)
    print(f"{args.output}: decrypted")
    return print_errors(args.image, errors)
