"""How an item looks: short, whole, and as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fctry.cli.arguments import Arguments, Option
from fctry.cli.text import VALUE_WIDTH, shortened
from fctry.nvs.item import SECRET, Item, with_secrets
from fctry.nvs.values import value_as_json
from fctry.printable import printable


def secrets_option(text: str = "show the values of secrets too") -> Option:
    """The option that `stated` reads."""
    return Option("--secrets", is_flag=True, help=text)


def stated(items: Iterable[Item], args: Arguments) -> list[Item]:
    """The items, with the project's secrets stated to be secret unless they may be shown."""
    if args.secrets:
        return list(items)
    from fctry.settings import find_settings

    return with_secrets(items, find_settings().secret_namespaces)


def text_of(item: Item) -> str:
    """A value on one line, unless it is secret; what is not printable in a string is escaped."""
    if item.is_secret:
        return SECRET
    if isinstance(item.value, bytes):
        return item.value.hex()
    if isinstance(item.value, str) and not item.value.isprintable():
        return item.value.encode("unicode_escape").decode()
    return str(item.value)


def short_text_of(item: Item, width: int = VALUE_WIDTH) -> str:
    """A value on one line, shortened to a width."""
    text = text_of(item)
    if item.is_secret or not isinstance(item.value, (bytes, str)):
        return text
    raw = item.value if isinstance(item.value, bytes) else item.value.encode(errors="surrogateescape")
    return shortened(text, len(raw), width)


def as_json(item: Item) -> dict[str, Any]:
    """An item as the firmware reports it; of a secret, that it is one."""
    names = {"namespace": printable(item.namespace), "key": printable(item.key), "type": item.type.value}
    return {**names, **({"secret": True} if item.is_secret else value_as_json(item.value))}
