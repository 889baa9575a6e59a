"""JSON text of what a device's row has: short mappings of text, which are written before an encoder is made."""

from __future__ import annotations

import json
from json.encoder import encode_basestring_ascii as _text


def json_text(value: object, *, is_sorted: bool = False) -> str:
    """What `json.dumps` makes of it, with `sort_keys` where it shall be sorted. The keys of mappings are text."""
    kind = type(value)
    if kind is str:
        return _text(value)  # type: ignore[arg-type]
    if kind is int:
        return repr(value)
    if isinstance(value, dict):
        names = sorted(value) if is_sorted else value
        return f"{{{', '.join([f'{_text(name)}: {json_text(value[name], is_sorted=is_sorted)}' for name in names])}}}"
    if isinstance(value, list):
        return f"[{', '.join([json_text(one, is_sorted=is_sorted) for one in value])}]"
    return json.dumps(value)
