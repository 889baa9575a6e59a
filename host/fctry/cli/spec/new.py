"""Write a factory spec with comments: a serial number, a MAC address, a password and a HomeKit code.

It is yours to change. A file that is there is never replaced.
"""

from __future__ import annotations

import argparse
import json
from importlib.resources import files

from fctry.cli.arguments import path
from fctry.errors import InputError
from fctry.files import write_file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-o", "--output", type=path, required=True, metavar="TOML", help="file to write, such as factory.toml"
    )
    parser.add_argument("--product", default="my-product", help="name of the product (default: my-product)")


def run(args: argparse.Namespace) -> int:
    if args.output.exists():
        raise InputError("is there already", hint="choose another name, or remove it", file=args.output)
    text = (files("fctry.identity") / "default.toml").read_text(encoding="utf-8")
    product = json.dumps(args.product, ensure_ascii=False)  # a string of JSON is one of TOML
    write_file(args.output, text.replace('"my-product"', product, 1).encode())
    print(f"{args.output}: written; `fctry spec check {args.output}` says what is wrong with it")
    return 0
