"""JSON text of what a device's row has: short mappings of text, which are written before an encoder is made."""

from __future__ import annotations

import json
from json.encoder import encode_basestring_ascii as _text


def json_text(value: object, *, is_sorted: bool = False) -> str:
    """What `json.dumps` makes of it, with `sort_keys` where it shall be sorted. The keys of mappings are text."""
    if type(value) is int:
        return repr(value)
    if isinstance(value, dict):
        names = sorted(value) if is_sorted else value
        pairs = [
            f"{_text(name)}: {_text(one) if type(one) is str else json_text(one, is_sorted=is_sorted)}"
            for name in names
            for one in (value[name],)
        ]
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, list):
        ones = [_text(one) if type(one) is str else json_text(one, is_sorted=is_sorted) for one in value]
        return f"[{', '.join(ones)}]"
    return json.dumps(value)
