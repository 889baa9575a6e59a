"""Print the JSON Schema of a factory spec: editors complete and check it by that.

In factory.toml, for editors with taplo: #:schema ./factory.schema.json

fctry spec schema > factory.schema.json
"""

from __future__ import annotations

import json

from fctry.cli.arguments import Arguments
from fctry.identity.spec_file import json_schema

PARAMETERS = ()


def run(args: Arguments) -> int:
    print(json.dumps(json_schema(), indent=2, ensure_ascii=False))
    return 0
