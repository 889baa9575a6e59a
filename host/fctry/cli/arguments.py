"""Arguments and options of commands, and what their text means. Errors say what would have been right.

Imports nothing that costs time but rich-click itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import SimpleNamespace as Arguments
from typing import TYPE_CHECKING, Any

from rich_click import UNPROCESSED, BadParameter, Choice, RichArgument, RichOption, UsageError

from fctry.partitions.sizes import parse_size

if TYPE_CHECKING:
    from pathlib import Path

    from click.shell_completion import CompletionItem
    from rich_click import Context, Parameter

    from fctry.partitions.keywords import IdfVersion

__all__ = ["UNPROCESSED", "Argument", "Arguments", "BadParameter", "Choice", "Option", "UsageError"]
LONGEST_WAIT_S = 86_400.0


class Argument(RichArgument):
    """An argument of a command. `nargs` and the like are click's; `metavar` is what the help calls it."""

    def __init__(self, name: str, **attributes: Any) -> None:
        super().__init__([name], **_completed(attributes))
        self.opts = [self.human_readable_name]

    def make_metavar(self, *_: object) -> str:
        """As it stands behind `Usage:`, which click leaves to a `metavar`."""
        shown = self.human_readable_name
        if not self.required:
            shown = f"[{shown}]"
        return shown if self.nargs == 1 else f"{shown}..."


class Option(RichOption):
    """An option of a command, which `excludes` another one: giving both is an error of usage."""

    def __init__(self, *names: str, excludes: str = "", **attributes: Any) -> None:
        if attributes.get("type") is int:
            attributes.setdefault("metavar", "N")
        if attributes.get("multiple"):
            attributes["help"] += "; may be repeated"
        super().__init__(names, **_completed(attributes))
        self._excludes = excludes

    def handle_parse_result(
        self, ctx: Context, opts: Mapping[str, Any], args: list[str]
    ) -> tuple[Any, list[str]]:
        other = self._excludes.lstrip("-").replace("-", "_")
        if other in opts and self.name in opts:
            raise UsageError(f"{self._excludes} and {self.opts[-1]} exclude each other", ctx)
        return super().handle_parse_result(ctx, opts, args)


def _completed(attributes: dict[str, Any]) -> dict[str, Any]:
    """The attributes of a parameter; where it is a file, a shell completes it, where it is a text, it is checked."""
    if attributes.get("type") is path:
        return {"shell_complete": files, **attributes}
    if {"type", "is_flag", "flag_value", "count"} & attributes.keys():
        return attributes
    return {"type": text, **attributes}


def files(_: Context, __: Parameter, incomplete: str) -> list[CompletionItem]:
    """Tell the shell that a file is wanted."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


def panel(title: str, *options: Option) -> tuple[Option, ...]:
    """Options that stand under a heading of their own in the help."""
    for one in options:
        one.panel = title
    return options


def text(given: str) -> str:
    """What goes into records, the ledger and other files."""
    try:
        given.encode()
    except UnicodeEncodeError:
        raise BadParameter(f"{given!r} is no UTF-8 text: type it again in this terminal") from None
    return given


def path(text: str) -> Path:
    """A file or folder."""
    from pathlib import Path

    return Path(text)


def integer(text: str) -> int:
    """A number of 0 to 0xFFFFFFFF, decimal or with 0x, such as an address in flash."""
    if not re.fullmatch(r"0x[0-9a-f]+|[0-9]{1,10}", text, re.IGNORECASE) or int(text, 0) > 0xFFFFFFFF:
        raise BadParameter(f"{text!r} is no number: write it as 0x8000 or 32768")
    return int(text, 0)


def count(text: str) -> int:
    """A number of things."""
    if not re.fullmatch(r"[0-9]{1,10}", text):
        raise BadParameter(f"{text!r} is no number of 0 or more")
    return int(text)


def size(text: str) -> int:
    """A number of bytes: `24K`, `4MB`, `0x6000`, `24576`."""
    try:
        return parse_size(text)
    except ValueError as error:
        raise BadParameter(str(error)) from None


def tcp_port(text: str) -> int:
    """A TCP port; 0 stands for a free one."""
    if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > 0xFFFF:
        raise BadParameter(f"{text!r} is no TCP port: there are 1 to 65535, and 0 takes a free one")
    return int(text)


def baud(text: str) -> int:
    """A baud rate."""
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) == 0:
        raise BadParameter(f"{text!r} is no baud rate: write it as 115200")
    return int(text)


def seconds(text: str) -> float:
    """A time to wait, above 0."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= LONGEST_WAIT_S:
        raise BadParameter(f"{text!r} is no time to wait: write seconds, such as 15, at most a day")
    return seconds


def idf(text: str) -> IdfVersion:
    """An ESP-IDF release."""
    from fctry.partitions.keywords import parse_idf

    try:
        return parse_idf(text)
    except ValueError as error:
        raise BadParameter(str(error)) from None


def mac(text: str) -> bytes:
    """A MAC address of six hexadecimal bytes, with or without colons or dashes."""
    digits = text.replace(":", "").replace("-", "")
    if not re.fullmatch(r"[0-9a-fA-F]{12}", digits):
        raise BadParameter(f"{text!r} is no MAC address: write it as 24:0a:c4:00:00:01")
    return bytes.fromhex(digits)
