"""Texts with values in them: `FC-{lot}-{date:%y%m}-{counter:06}`, `{mac}`, `{homekit.setup_id}`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from string import Formatter
from typing import Any

from fctry.errors import InputError
from fctry.identity.sources.source import Given

HERE = ("counter", "lot", "line", "date", "check")
"""Names that stand for something else than another source."""


@cache
def parse(template: str) -> tuple[tuple[str, str | None, str], ...]:
    """Its pieces: text, then the name of a value and how it is written. Raises InputError."""
    try:
        pieces = tuple((text, name, spec or "") for text, name, spec, _ in Formatter().parse(template))
    except ValueError as error:
        raise InputError(
            f"template {template!r}: {error}", hint="a brace of the text is written twice: {{"
        ) from None
    for _, name, spec in pieces:
        if name is not None and (not all(map(str.isidentifier, name.split("."))) or "{" in spec):
            raise InputError(
                f"template {template!r}: `{{{name}}}` names nothing", hint="write {name}, or {name:06}"
            )
    return pieces


def names_in(template: str) -> tuple[str, ...]:
    """The names in braces, each once."""
    return tuple(dict.fromkeys(name for _, name, _ in parse(template) if name is not None))


def references_in(template: str) -> tuple[str, ...]:
    """The names in braces that are other sources'."""
    return tuple(name for name in names_in(template) if name not in HERE)


def fill(template: str, given: Given, extra: Mapping[str, Any] | None = None) -> str:
    """The text for this device. Raises InputError for a value that there is not, or that is no text."""
    context = given.context
    values: dict[str, Any] = {"lot": context.lot, "line": context.line, **(extra or {})}
    if "date" in names_in(template):
        values["date"] = context.now.astimezone()  # the day that it is where devices are made
    return "".join(
        text
        + ("" if name is None else _format(template, name, values.get(name, given.drawn.get(name)), spec))
        for text, name, spec in parse(template)
    )


def _format(template: str, name: str, value: Any, spec: str) -> str:
    if value is None or value == "" or isinstance(value, bytes):
        what = "raw bytes" if value else "nothing"
        hint = f"give the {name}, or leave it out of the template"
        raise InputError(f"template {template!r}: `{name}` is {what}", hint=hint)
    try:
        return format(value, spec or ("%Y%m%d" if name == "date" else ""))
    except ValueError:
        raise InputError(
            f"template {template!r}: `{{{name}:{spec}}}` is no way to write it",
            hint="numbers take {counter:06}, dates take {date:%y%m%d}",
        ) from None
