"""Texts with a device's public fields in them, for names of files and for labels: `{serial_number}`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches

from fctry.errors import InputError

FIELD = re.compile(r"\{([^{}]*)\}")


def fill(template: str, values: Mapping[str, str]) -> str:
    """The text for a device with these values. Raises InputError for a field that it has not."""

    def value(found: re.Match[str]) -> str:
        if found[1] not in values:
            near = get_close_matches(found[1], values, 1) or sorted(values)
            hint = (
                f"did you mean {near[0]!r}?" if len(near) == 1 else f"there are {', '.join(near) or 'none'}"
            )
            raise InputError(f"{template!r}: no public field is called {found[1]!r}", hint=hint)
        return values[found[1]]

    return FIELD.sub(value, template)
