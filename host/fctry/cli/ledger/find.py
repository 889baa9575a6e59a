"""Find the device that has a unique value (serial number, MAC address, scanned label), or is this chip.

fctry ledger find 24:0a:c4:00:00:01
"""

from __future__ import annotations

from fctry.cli.arguments import Argument, Arguments
from fctry.cli.ledger.show import line_of
from fctry.cli.ledgers import LEDGER, existing_ledger
from fctry.cli.text import fitted

PARAMETERS = (
    Argument("value", help="as it is on the label, or the chip's MAC or unique id"),
    *LEDGER,
)


def run(args: Arguments) -> int:
    with existing_ledger(args) as ledger:
        found = ledger.find(args.value)
    for one in found:
        print(fitted(line_of(one)))
    if not found:
        print("no device has it")
    return 0 if found else 1
