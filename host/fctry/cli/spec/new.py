"""Write a factory spec with comments: a serial number, a MAC address, a password and a HomeKit code; or, --for an SDK,
what it reads, by the names and types that it looks for.

On a terminal it asks for what differs from product to product. A file that is there is never replaced.

fctry spec new -o lamp.toml --product lamp
"""

from __future__ import annotations

import json
import sys
from importlib.resources import files

from fctry.cli.arguments import Arguments, Choice, Option, path
from fctry.cli.text import say_written
from fctry.errors import InputError
from fctry.files import STANDARD, write_file
from fctry.identity.sources.mac import ADDRESS, DERIVED_ADDRESSES, Mac

MADE_UP = Mac(start="02:00:00:00:00:00", count=1 << 20, chip="esp32", local=True)
SDKS = ("rainmaker", "matter", "homekit")

PARAMETERS = (
    Option(
        "-o", "--output", type=path, required=True, metavar="FILE", help="file to write, such as factory.toml"
    ),
    Option("--product", help="name of the product (default: my-product)"),
    Option(
        "--for",
        "sdk",
        type=Choice(SDKS),
        help="the SDK that reads it; `fctry docs sdks` has a recipe for each",
    ),
)


def run(args: Arguments) -> int:
    if args.output.exists():
        raise InputError("is there already", hint="choose another name, or remove it", file=args.output)
    product, block = args.product, MADE_UP
    if sys.stdin.isatty() and args.output != STANDARD:
        product = product or input("Name of the product [my-product]: ")
        block = block if args.sdk else _ask_block()
    product = product or "my-product"
    text = template(args.sdk, product) if args.sdk else default_spec(product, block)
    write_file(args.output, text.encode())
    say_written(args.output, f"written; `fctry spec check {args.output}` says what is wrong with it")
    return 0


def default_spec(product: str, block: Mac = MADE_UP) -> str:
    """The text of the default product's spec, with these addresses."""
    text = template("default", product)
    if block == MADE_UP:
        return text
    head, _, rest = text.partition("[sources.mac]\n")
    said = [f'start = "{block.start}"', f"count = {block.count}", f'chip = "{block.chip}"']
    lines = ["[sources.mac]", 'kind = "mac"', *(["local = true"] if block.local else []), *said]
    return head + "\n".join(lines) + "\n\n" + rest[rest.index("[") :]


def template(name: str, product: str) -> str:
    """The text of a spec that comes with this package: `default`, or what an SDK reads."""
    text = (files("fctry.identity") / f"{name}.toml").read_text(encoding="utf-8")
    return text.replace(
        '"my-product"', json.dumps(product, ensure_ascii=False), 1
    )  # JSON's strings are TOML's


def _ask_block() -> Mac:
    """The addresses that the product gets. Asks again for those that cannot be."""
    while True:
        start = input("First MAC address of your block [made up]: ").strip()
        if not start:
            return MADE_UP
        count = input("Addresses in the block [4096]: ").strip() or "4096"
        chip = input("Chip [esp32]: ").strip() or "esp32"
        try:
            if not (ADDRESS.fullmatch(start) and count.isdecimal() and chip in DERIVED_ADDRESSES):
                chips = ", ".join(DERIVED_ADDRESSES)
                raise InputError(
                    "an address, a number or a chip is none", hint=f"as 24:0A:C4:00:00:00, 4096; {chips}"
                )
            return Mac(start=start, count=int(count), chip=chip, local=bool(int(start[:2], 16) & 2))
        except InputError as error:
            print(f"{error}: {error.hint}", file=sys.stderr)
