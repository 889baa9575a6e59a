"""Find the device that has a unique value (serial number, MAC address, scanned label), or is this chip.

With the name of a file, which holds a flash dump or an NVS image: which device it is of, how sure that is, and what
speaks for it. That secrets match is seen without showing them. Exit code 1 when no device is found.

fctry ledger find SN0000001G
fctry ledger find returned.bin
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from fctry.cli.arguments import Argument, Arguments
from fctry.cli.image.dump import DUMP, where_in
from fctry.cli.image.opened import open_image
from fctry.cli.ledger.show import line_of
from fctry.cli.ledgers import LEDGER_HERE, existing_ledger
from fctry.cli.options import KEYS, keys_of

PARAMETERS = (
    Argument(
        "what", metavar="VALUE|FILE", help="as it is on the label, the chip's MAC or unique id; or a file"
    ),
    *KEYS,
    *DUMP,
    *LEDGER_HERE,
)


def run(args: Arguments) -> int:
    from fctry.identity.recognition import recognise, scanned

    is_file = Path(args.what).is_file()
    with existing_ledger(args) as ledger:
        if not is_file:
            found = scanned(ledger, args.what)
            for device in found:
                print(line_of(device))
        else:
            image = open_image(Path(args.what), keys_of(args), where_in(args), needs_items=True)
            recognised = recognise(ledger, image.items, sha256(image.data).hexdigest())
            for one in recognised:
                print(f"{line_of(one.device)}\n         {one.certainty}")
            found = [one.device for one in recognised]
    if not found:
        print("no device has it" if is_file else "no device has it, and there is no such file")
    return 0 if found else 1
