"""Texts with a device's public fields in them, for names of files and for labels: `{serial_number}`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from fctry.errors import InputError

FIELD = re.compile(r"\{([^{}]*)\}")


def fill(template: str, values: Mapping[str, str]) -> str:
    """The text for a device with these values. Raises InputError for a field that it has not."""
    pieces = list(_split(template))
    try:
        pieces[1::2] = [values[name] for name in pieces[1::2]]
    except KeyError as error:
        raise _unknown(template, error.args[0], values) from None
    return "".join(pieces)


@lru_cache
def _split(template: str) -> tuple[str, ...]:
    """Text and names of fields in turn. Raises InputError for a brace that is not closed; JSON has other ones."""
    pieces = tuple(FIELD.split(template))
    text = "".join(pieces[::2])
    if text.count("{") != text.count("}"):
        raise InputError(
            f"{template!r}: a brace without its other one", hint="fields are written {serial_number}"
        )
    return pieces


def names_in(template: str) -> list[str]:
    """The fields that are named in it. Raises InputError for a brace that is not closed."""
    return list(_split(template)[1::2])


def _unknown(template: str, name: str, values: Mapping[str, str]) -> InputError:
    from difflib import get_close_matches

    near = get_close_matches(name, values, 1) or sorted(values)
    hint = f"did you mean {near[0]!r}?" if len(near) == 1 else f"there are {', '.join(near) or 'none'}"
    return InputError(f"{template!r}: no public field is called {name!r}", hint=hint)
