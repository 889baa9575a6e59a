"""Make an image for each device: one CSV has all keys, the other a line per device."""

from __future__ import annotations

import argparse

from fctry.cli.arguments import path
from fctry.cli.image.target import add_target, read_keys, target_of
from fctry.cli.options import add_keys, inputs_of, keys_of
from fctry.cli.text import counted
from fctry.errors import InputError
from fctry.files import keep_inputs
from fctry.nvs.batch import read_batch, write_batch
from fctry.nvs.encryption import encrypt
from fctry.nvs.factory_image import template_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("csv", type=path, help="all keys, with the values that are common to all devices")
    parser.add_argument(
        "values",
        type=path,
        help="a column per key that differs (`key` or `namespace:key`), a line per device",
    )
    parser.add_argument(
        "-o", "--output", type=path, required=True, metavar="FOLDER", help="where the images go"
    )
    parser.add_argument(
        "--name", default="", metavar="COLUMN", help="column that names the files (default: numbered)"
    )
    add_keys(parser)
    add_target(parser)


def run(args: argparse.Namespace) -> int:
    target = target_of(args)
    sheet = read_keys([args.csv])
    devices = read_batch(sheet, args.values, name_column=args.name)
    outputs = [args.output / f"{device.name}.bin" for device in devices]
    keep_inputs(outputs, [*inputs_of(args), *sheet.files, *target.files])
    keys = keys_of(args)
    template = template_of(sheet, **target.space)
    finish = (lambda image: encrypt(image, keys)) if keys else bytes
    try:
        count = sum(1 for _ in write_batch(template, devices, args.output, finish=finish))
    except OSError as error:
        raise InputError(
            f"cannot write: {error.strerror}", hint="check the folder", file=error.filename
        ) from None
    print(f"{args.output}: {counted(count, 'image')} of {target.size_bytes:#x} bytes")
    return 0
