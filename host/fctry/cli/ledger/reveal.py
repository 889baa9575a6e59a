"""Show the secrets of a device. The journal says who looked, and why.

fctry ledger reveal 17 --private-key office.age --why 'customer lost the label'
"""

from __future__ import annotations

import json
import sys

from fctry.cli.arguments import Argument, Arguments, Option, path
from fctry.cli.ledgers import LEDGER_HERE, existing_ledger
from fctry.identity.ledger.keys import as_json

PARAMETERS = (
    Argument("device", type=int, help="its number in the ledger"),
    Option("--private-key", type=path, required=True, metavar="FILE", help="the age key that reads them"),
    Option("--why", required=True, help="the reason, for the journal"),
    *LEDGER_HERE,
)


def run(args: Arguments) -> int:
    with existing_ledger(args) as ledger:
        secrets = as_json(ledger.reveal(args.device, args.private_key, why=args.why))
    is_utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    print(json.dumps(secrets, ensure_ascii=not is_utf8))  # `?` in place of a character is another password
    return 0
