"""JSON text of what a device's row has: short mappings of text, which are written before an encoder is made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from json.encoder import encode_basestring_ascii as _text


def json_text(value: Mapping[str, object]) -> str:
    """What `json.dumps` makes of it."""
    pairs = [
        f"{_text(name)}: {_text(one) if type(one) is str else json.dumps(one)}" for name, one in value.items()
    ]
    return f"{{{', '.join(pairs)}}}"
