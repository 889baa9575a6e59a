"""Go on with a backup that was put back: counters go on behind all that the witnesses have seen handed out.

Give the witness files of all other stations too, in their state folders: what only they have handed out would be handed
out again. Batches and exports know how far the counters had come, and nothing of random values.

fctry ledger accept-restore line2.witness.json
"""

from __future__ import annotations

from fctry.cli.arguments import Argument, Arguments, path
from fctry.cli.ledgers import LEDGER_HERE, place_of, station_of
from fctry.identity.ledger import accept_restore

PARAMETERS = (
    Argument(
        "witness",
        nargs=-1,
        type=path,
        help="*.witness.json of another station's state folder, a batch, an export",
    ),
    *LEDGER_HERE,
)


def run(args: Arguments) -> int:
    moved = accept_restore(place_of(args), station_of(args), others=args.witness)
    for name, following in moved.items():
        print(f"{name} goes on at {following}")
    return 0
