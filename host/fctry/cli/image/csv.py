"""Write an image back as a CSV that builds the same items."""

from __future__ import annotations

import argparse
import sys

from fctry.cli.arguments import path
from fctry.cli.files import keep_inputs, write_file
from fctry.cli.image.opened import items_of, open_rest, print_errors
from fctry.cli.options import add_keys
from fctry.cli.text import counted
from fctry.errors import InputError
from fctry.nvs.csv import format_csv


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("image", type=path)
    parser.add_argument(
        "-o", "--output", type=path, metavar="FILE", help="where the CSV goes (default: standard output)"
    )
    add_keys(parser)


def run(args: argparse.Namespace) -> int:
    _, contents, errors = open_rest(args.image, args)
    items, output = items_of(contents), args.output
    text, files = format_csv(items, contents.namespaces.values(), output.stem if output else "")
    if output is None:
        if files:
            raise InputError(
                "some values need files of their own", hint="give a file with -o", file=args.image
            )
        sys.stdout.buffer.write(text.encode())  # a CSV is UTF-8, whatever the terminal is
        return print_errors(args.image, errors)
    beside = {output.parent / name: content for name, content in files.items()}
    keep_inputs([output, *beside], [args.image, args.keys, args.hmac_key])
    for file, content in beside.items():
        write_file(file, content)
    write_file(output, text.encode())
    files_too = f", and {counted(len(files), 'file')}" if files else ""
    print(f"{output}: {counted(len(items), 'key')}{files_too}")
    return print_errors(args.image, errors)
