"""Write an encrypted image in plain.

fctry image decrypt encrypted.bin --keys keys.bin -o plain.bin
"""

from __future__ import annotations

from fctry.cli.arguments import Argument, Arguments, Option, path
from fctry.cli.image.dump import DUMP, PORT, given, where_in
from fctry.cli.image.opened import open_image
from fctry.cli.options import KEYS, inputs_of, keys_of
from fctry.cli.text import say_written
from fctry.files import keep_inputs, write_file

PARAMETERS = (
    Argument("image", type=path, required=False, help="NVS image, or dump of a whole flash"),
    PORT,
    Option("-o", "--output", type=path, required=True, metavar="FILE", help="where the plain image goes"),
    *KEYS,
    *DUMP,
)


def run(args: Arguments) -> int:
    source = given(args.image, args)
    keep_inputs([args.output], inputs_of(args))
    image = open_image(source, keys_of(args, required=True), where_in(args), needs_items=True)
    write_file(args.output, image.data, is_private=True)
    say_written(args.output, "decrypted")
    return 1 if image.errors else 0
