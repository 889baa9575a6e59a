"""Make a ledger. Without a recipient a key pair is made for its secrets; where the private key lies is said once.

fctry ledger create --ledger ledger.db
"""

from __future__ import annotations

from fctry.cli.arguments import Arguments, Choice, Option
from fctry.cli.ledgers import LEDGER_HERE, place_of, station_of
from fctry.identity.ledger import create_ledger

PARAMETERS = (
    Option(
        "--secrets",
        type=Choice(("sealed", "forgotten")),
        default="sealed",
        show_default=True,
        help="what becomes of secrets: only the office can read them, or nobody",
    ),
    Option(
        "--recipient",
        multiple=True,
        metavar="AGE1…",
        help="age key of the office, in place of a new key pair",
    ),
    *LEDGER_HERE,
)


def run(args: Arguments) -> int:
    place = place_of(args)
    ledger, private_key = create_ledger(
        place, station_of(args), secrets=args.secrets, recipients=args.recipient
    )
    ledger.close()
    print(f"made the ledger {place}; secrets are {args.secrets}")
    if private_key:
        print(f"the private key that reads them is {private_key}: move it away from this station")
    return 0
