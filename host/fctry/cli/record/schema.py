"""Print the JSON Schema of a record.

fctry record schema
"""

from __future__ import annotations

import json

from fctry.cli.arguments import Arguments
from fctry.provision.record import SCHEMA

PARAMETERS = ()


def run(args: Arguments) -> int:
    print(json.dumps(SCHEMA, indent=2))
    return 0
