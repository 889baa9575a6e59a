"""Go on with a backup that was put back: counters go on behind all that the witnesses have seen handed out.

Give the witness files of all other stations too: what only they have seen would be handed out again. Random values that
were handed out since the backup are not known any more.

fctry ledger accept-restore line2.witness.json
"""

from __future__ import annotations

from fctry.cli.arguments import Argument, Arguments, path
from fctry.cli.ledgers import LEDGER, place_of, station_of
from fctry.identity.ledger import accept_restore

PARAMETERS = (
    Argument("witness", nargs=-1, type=path, help="*.witness.json of the state folders of other stations"),
    *LEDGER,
)


def run(args: Arguments) -> int:
    moved = accept_restore(place_of(args), station_of(args), others=args.witness)
    for name, following in moved.items():
        print(f"{name} goes on at {following}")
    return 0
