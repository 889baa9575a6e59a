"""Say what differs between two images, by key. Exit code 1 if anything does.

fctry image diff device.bin dump.bin
fctry image diff device.bin --port /dev/ttyUSB0
"""

from __future__ import annotations

import json

from fctry.cli.arguments import Argument, Arguments, Option, path
from fctry.cli.image.dump import DUMP, PORT, given, where_in
from fctry.cli.image.opened import open_image
from fctry.cli.image.shown import as_json, secrets_option, short_text_of, stated
from fctry.cli.options import KEYS, keys_of
from fctry.cli.text import fitted
from fctry.nvs.difference import diff
from fctry.printable import printable

PARAMETERS = (
    Argument("before", type=path, help="NVS image, or dump of a whole flash"),
    Argument("after", type=path, required=False, help="the one to compare it with; or give --port"),
    PORT,
    Option("--json", is_flag=True, help="print as JSON"),
    secrets_option(),
    *KEYS,
    *DUMP,
)


def run(args: Arguments) -> int:
    found = diff(
        *(
            open_image(file, keys_of(args), where_in(args)).items
            for file in (args.before, given(args.after, args))
        )
    )
    rows = []
    for one in found:
        sides = {name: item for name, item in (("before", one.before), ("after", one.after)) if item}
        rows.append((one, dict(zip(sides, stated(sides.values(), args), strict=True))))
    if args.json:
        printed = [
            {"kind": one.kind, **{name: as_json(item) for name, item in sides.items()}} for one, sides in rows
        ]
        print(json.dumps(printed, indent=2))
        return 1 if found else 0
    for one, sides in rows:
        name = f"{printable(one.namespace)}:{printable(one.key)}"
        shown = [f"{item.type.value} {short_text_of(item)}" for item in sides.values()]
        print(fitted(f"{one.kind:8} {name}  {' -> '.join(shown)}"))
    return 1 if found else 0
