"""Make NVS images and read them back.

fctry image build device.csv -o device.bin     as large as the partition `fctry` of ./partitions.csv
fctry image show device.bin
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from fctry.errors import InputError
from fctry.nvs.csv import read_sheet
from fctry.nvs.decoder import decode
from fctry.nvs.encoder import encode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    build = actions.add_parser("build", help="CSV to image")
    build.add_argument("csv", type=Path, help="as nvs_partition_gen takes it: key,type,encoding,value")
    build.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help="where the image goes"
    )
    build.add_argument("--size", type=_size, metavar="BYTES", help="size of the partition, such as 0x6000")
    build.add_argument(
        "--partitions", type=Path, metavar="CSV", help="partition table (default: ./partitions.csv)"
    )
    build.add_argument(
        "--partition", default="fctry", metavar="NAME", help="its factory partition (default: fctry)"
    )
    build.add_argument("--read-only", action="store_true", help="the partition is flagged readonly")
    build.set_defaults(action_run=_build)

    show = actions.add_parser("show", help="what is in an image")
    show.add_argument("image", type=Path)
    show.add_argument("--json", action="store_true", help="for machines")
    show.set_defaults(action_run=_show)


def run(args: argparse.Namespace) -> int:
    return int(args.action_run(args))


def _size(text: str) -> int:
    try:
        return int(text, 0)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of bytes") from None


def _build(args: argparse.Namespace) -> int:
    size_bytes, read_only = _partition(args)
    sheet = read_sheet(args.csv)
    image = encode(sheet.items, size_bytes, read_only=read_only, namespaces=sheet.namespaces)
    _write(args.output, image)
    print(f"{args.output}: {len(sheet.items)} items, {size_bytes:#x} bytes")
    return 0


def _partition(args: argparse.Namespace) -> tuple[int, bool]:
    """Size in bytes and whether it is read-only: as asked for, or as the partition table says."""
    if args.size is not None:
        return args.size, args.read_only
    table = args.partitions or Path("partitions.csv")
    if not args.partitions and not table.exists():
        raise InputError(
            "size of the partition unknown", hint="give --size 0x6000, or --partitions partitions.csv"
        )
    from fctry.partitions.csv import read_csv

    partition = read_csv(table).find(args.partition)
    return partition.size_bytes, partition.readonly or args.read_only


def _show(args: argparse.Namespace) -> int:
    try:
        image = args.image.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read: {error.strerror}", hint="check the path", file=args.image) from None
    items = decode(image)
    if args.json:
        print(
            json.dumps(
                [
                    {
                        "namespace": item.namespace,
                        "key": item.key,
                        "type": item.type.value,
                        "value": item.value.hex() if isinstance(item.value, bytes) else item.value,
                    }
                    for item in items
                ],
                ensure_ascii=False,
                indent=2,
            )
        )
        return 0
    for item in items:
        value = item.value.hex() if isinstance(item.value, bytes) else item.value
        print(f"{item.namespace:15} {item.key:15} {item.type.value:6} {value}")
    return 0


def _write(path: Path, data: bytes) -> None:
    """All or nothing: what was there before stays until the new file is complete."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        part.write_bytes(data)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise InputError(f"cannot write: {error.strerror}", hint="check the folder", file=path) from None
