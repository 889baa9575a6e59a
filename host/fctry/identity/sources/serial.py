"""Serial numbers: a template with a counter, and a check character where one is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from fctry.errors import InputError
from fctry.identity.draft import CounterRange
from fctry.identity.sources.source import Drawn, Given, Source
from fctry.identity.sources.template import fill, names_in, references_in
from fctry.identity.spec_options import option

CHECKS = ("", "luhn", "mod_11_10", "mod_37_36", "damm", "verhoeff")
COUNTER_MAX, STEP_MAX = 2**62, 2**32  # what every database takes as an integer, with room for those behind it


@dataclass(frozen=True)
class Serial(Source):
    """Counted by the ledger."""

    KIND: ClassVar[str] = "serial"
    template: str = option(
        "text with {counter}, {lot}, {line}, {date:%y%m%d}, {check}, or another source's value",
        schema={"pattern": "\\{counter[:!}]"},
    )
    first: int = option("first number of the counter", 1, minimum=0, maximum=COUNTER_MAX)
    last: int = option("last number of the counter", 999_999, minimum=0, maximum=COUNTER_MAX)
    step: int = option("from one number to the next", 1, minimum=1, maximum=STEP_MAX)
    check: str = option(
        "scheme of the check character {check}, at the end: mod_37_36 (ISO 7064) covers digits and letters, the others "
        "only the digits before it",
        "",
        choices=CHECKS,
    )

    def __post_init__(self) -> None:
        names = names_in(self.template)
        if "counter" not in names:
            raise InputError(
                f"template {self.template!r} has no counter", hint="write {counter} or {counter:06} in it"
            )
        if self.last < self.first:
            raise InputError("the last number is before the first", hint="last is inclusive: 1 to 999999")
        if bool(self.check) != ("check" in names) or (self.check and not self.template.endswith("{check}")):
            raise InputError(
                f"template {self.template!r} and check {self.check!r} do not go together",
                hint='a check character stands at the end: template = "…{check}" and check = "damm"',
            )

    @property
    def counter(self) -> CounterRange:
        return CounterRange(self.first, self.last, self.step)

    @property
    def references(self) -> tuple[str, ...]:
        return references_in(self.template)

    def weakness(self) -> str:
        return "a number that is counted"

    def draw(self, given: Given) -> Mapping[str, Drawn]:
        text = fill(self.template.removesuffix("{check}"), given, {"counter": self._number(given)})
        return {"": text + check_character(self.check, text) if self.check else text}


def check_character(scheme: str, text: str) -> str:
    """The check character over the digits of a text; for mod_37_36, over its digits and letters, in capitals."""
    from stdnum import damm, luhn, verhoeff
    from stdnum.iso7064 import mod_11_10, mod_37_36

    calculate: dict[str, Callable[[str], str]] = {
        "luhn": luhn.calc_check_digit,
        "mod_11_10": mod_11_10.calc_check_digit,
        "mod_37_36": mod_37_36.calc_check_digit,
        "damm": damm.calc_check_digit,
        "verhoeff": verhoeff.calc_check_digit,
    }
    is_covered = str.isalnum if scheme == "mod_37_36" else str.isdigit
    return calculate[scheme]("".join(one for one in text.upper() if one.isascii() and is_covered(one)))
