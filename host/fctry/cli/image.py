"""Make NVS images and read them back.

fctry image build device.csv -o device.bin     as large as the partition `fctry` of ./partitions.csv
fctry image show device.bin                    namespaces, keys, values, and where in the pages they are
fctry image check device.bin                   everything that the firmware would stumble over
"""

from __future__ import annotations

import argparse
import importlib

# action -> (module, one line of help); the module is imported only when the action is run
ACTIONS = {
    "build": ("image_build", "CSV to image"),
    "batch": ("image_build", "one CSV with all keys, one with a line per device: an image for each"),
    "capacity": ("image_build", "how much room a CSV takes, and the smallest partition that holds it"),
    "show": ("image_show", "what is in an image, or in a dump of a device's partition"),
    "check": ("image_check", "everything that is wrong with images; exit 1 if there is an error"),
    "diff": ("image_show", "what differs between two images, by key; exit 1 if anything does"),
    "csv": ("image_show", "back to a CSV that builds the same items"),
    "keys": ("image_keys", "make the keys of an encrypted partition"),
    "decrypt": ("image_keys", "an encrypted image in plain"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, (_, text) in ACTIONS.items():
        ARGUMENTS[name](actions.add_parser(name, help=text, description=text))


def run(args: argparse.Namespace) -> int:
    module = importlib.import_module(f"fctry.cli.{ACTIONS[args.action][0]}")
    return int(getattr(module, args.action)(args))


def _build(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("csv", nargs="+", help="as nvs_partition_gen takes it: key,type,encoding,value")
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help="where the image goes")
    _add_partition(parser)
    add_keys(parser)


def _batch(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("csv", help="all keys, with the values that are common to all devices")
    parser.add_argument(
        "values", help="a column per key that differs (`key` or `namespace:key`), a line per device"
    )
    parser.add_argument("-o", "--output", required=True, metavar="FOLDER", help="where the images go")
    parser.add_argument(
        "--name", default="", metavar="COLUMN", help="column that names the files (default: numbered)"
    )
    _add_partition(parser)
    add_keys(parser)


def _capacity(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("csv", nargs="+")
    parser.add_argument("--json", action="store_true", help="for machines")
    _add_partition(parser)


def _show(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("image")
    parser.add_argument("--json", action="store_true", help="for machines: blobs in base64")
    parser.add_argument("--full", action="store_true", help="long values whole")
    parser.add_argument(
        "--erased", action="store_true", help="erased and overwritten values too, as far as they are left"
    )
    parser.add_argument("--svg", metavar="FILE", help="write a picture of the pages")
    add_keys(parser)


def _check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("image", nargs="+")
    parser.add_argument("--read-only", action="store_true", help="the partition is flagged readonly")
    parser.add_argument("--json", action="store_true", help="for machines")
    add_keys(parser)


def _diff(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("before")
    parser.add_argument("after")
    parser.add_argument("--json", action="store_true", help="for machines")
    add_keys(parser)


def _csv(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("image")
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="where the CSV goes (default: standard output)"
    )
    add_keys(parser)


def _keys(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-o", "--output", required=True, metavar="FILE", help="image of the key partition (nvs_keys)"
    )
    hmac = parser.add_mutually_exclusive_group()
    hmac.add_argument(
        "--hmac-key", metavar="FILE", help="derive the keys from this HMAC key, as the device does"
    )
    hmac.add_argument(
        "--new-hmac-key", metavar="FILE", help="make an HMAC key, write it here, and derive them from it"
    )


def _decrypt(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("image")
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help="where the plain image goes")
    add_keys(parser, required=True)


ARGUMENTS = {
    "build": _build,
    "batch": _batch,
    "capacity": _capacity,
    "show": _show,
    "check": _check,
    "diff": _diff,
    "csv": _csv,
    "keys": _keys,
    "decrypt": _decrypt,
}


def _add_partition(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--size", type=_size, metavar="BYTES", help="size of the partition, such as 0x6000")
    parser.add_argument(
        "--read-only", action="store_true", help="it is flagged readonly: use its last page too"
    )
    parser.add_argument(
        "--partitions", metavar="CSV", help="or take both from here (default: partitions.csv)"
    )
    parser.add_argument("--partition", metavar="NAME", help="and from this partition (default: fctry)")
    parser.add_argument(
        "--extra-subtype",
        dest="extra_subtypes",
        action="append",
        metavar="T,NAME,N",
        help="as in EXTRA_PARTITION_SUBTYPES",
    )
    parser.add_argument(
        "--nvs-version",
        type=int,
        choices=(1, 2),
        default=2,
        help="page format; 1 has no blobs over pages (default: 2)",
    )


def add_keys(parser: argparse.ArgumentParser, *, required: bool = False) -> None:
    """The options that `image_keys.keys_of` takes keys from."""
    keys = parser.add_mutually_exclusive_group(required=required)
    keys.add_argument(
        "--keys", metavar="FILE", help="keys of an encrypted partition: image of its nvs_keys partition"
    )
    keys.add_argument("--hmac-key", metavar="FILE", help="or the HMAC key of the device's eFuses, 32 bytes")


def _size(text: str) -> int:
    try:
        return int(text, 0)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of bytes") from None
