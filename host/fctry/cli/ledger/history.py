"""Show what happened: to one device, or all of the journal.

fctry ledger history 17
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from fctry.cli.arguments import Argument, Arguments
from fctry.cli.ledgers import LEDGER_HERE, existing_ledger
from fctry.cli.text import escaped, fitted

OF_DEVICES = {"devices": "image_sha256", "generations": "generation"}
"""What a line of the journal says of each device in it -> what it is called for one of them."""

PARAMETERS = (
    Argument("device", required=False, type=int, help="its number in the ledger (default: all)"),
    *LEDGER_HERE,
)


def run(args: Arguments) -> int:
    with existing_ledger(args) as ledger:
        if args.device is not None:
            ledger.device(args.device)  # one that is not there is an error, not an empty history
        for entry in ledger.history(args.device):
            told = _told(entry.data, args.device)
            print(fitted(f"{entry.seq:>7}  {entry.at}  {entry.event:9}  {told}".rstrip()))
    return 0


def _told(data: Mapping[str, Any], device: int | None) -> str:
    """What a line of the journal says, for people: of the devices in it the one that is asked for, or their number."""
    told = {name: value for name, value in data.items() if name not in ("given", *OF_DEVICES)}
    devices = data.get("devices") or data.get("given", ())
    if device is None and devices:
        told["devices"] = len(devices)
    for name, called in OF_DEVICES.items():
        if value := data.get(name, {}).get(str(device)):
            told[called] = value
    return "  ".join(
        f"{name}={escaped(value) if isinstance(value, str) else json.dumps(value)}"
        for name, value in told.items()
    )
