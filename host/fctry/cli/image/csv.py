"""Write an image back as a CSV that builds the same items.

fctry image csv device.bin -o copy.csv
"""

from __future__ import annotations

from fctry.cli.arguments import Argument, Arguments, Option, path
from fctry.cli.image.dump import DUMP, PORT, given, where_in
from fctry.cli.image.opened import open_image
from fctry.cli.image.shown import secrets_option, stated
from fctry.cli.options import KEYS, inputs_of, keys_of
from fctry.cli.text import counted, say_written
from fctry.errors import InputError
from fctry.files import STANDARD, keep_inputs, read_file, write_file
from fctry.nvs.csv import format_csv

PARAMETERS = (
    Argument("image", type=path, required=False, help="NVS image, or dump of a whole flash"),
    PORT,
    Option(
        "-o",
        "--output",
        type=path,
        default="-",
        metavar="FILE",
        help="where the CSV goes (default: standard output)",
    ),
    secrets_option("write the values of secrets too, in plain"),
    *KEYS,
    *DUMP,
)


def run(args: Arguments) -> int:
    source = given(args.image, args)
    image = open_image(source, keys_of(args), where_in(args), needs_items=True)
    items, output = stated(image.items, args), args.output
    if secret := next((item for item in items if item.is_secret), None):
        raise InputError(
            f"there are secrets in it, such as {secret.key!r} in {secret.namespace!r}",
            hint="--secrets writes them in plain",
            file=source,
        )
    text, files = format_csv(items, image.contents.namespaces.values(), output.stem)
    if output == STANDARD and files:
        raise InputError("some values need files of their own", hint="give a file with -o", file=source)
    beside = {output.parent / name: content for name, content in files.items()}
    keep_inputs([output, *beside], inputs_of(args))
    for file, content in beside.items():
        if file.exists() and read_file(file) != content:
            hint = "move it away, or choose another name for the CSV"
            raise InputError("is there already, and a value needs this name", hint=hint, file=file)
    for file, content in beside.items():
        write_file(file, content, is_private=True)
    write_file(output, text.encode(), is_private=True)
    files_too = f", and {counted(len(files), 'file')}" if files else ""
    say_written(output, f"{counted(len(items), 'key')}{files_too}")
    return 1 if image.errors else 0
