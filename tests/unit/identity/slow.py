"""Drawers that take long: in a module that a process loads quickly."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence

from fctry.identity.draft import Context, CounterRange, Draft
from fctry.identity.sources.homekit import HomeKit
from fctry.identity.spec import Field, Spec
from fctry.nvs.item import Value

HOMEKIT = Spec(
    "lamp",
    (
        Field("s", "k", "string", "h.code", is_secret=True),
        Field("s", "v", "binary", "h.verifier", is_secret=True),  # which takes long
    ),
    {"h": HomeKit(category=5)},
)


def work() -> None:
    end_s = time.thread_time() + 0.01
    while time.thread_time() < end_s:
        pass


class Slow:
    """Says which process made it."""

    counters: Mapping[str, CounterRange] = {"serial": CounterRange(1000, 10**9)}

    def prepare(self) -> Mapping[str, int]:
        work()
        return {"process": os.getpid()}

    def draw(
        self, counters: Mapping[str, int], context: Context, kept: Mapping[str, Value] | None = None
    ) -> Draft:
        work()
        return Draft({"s:process": os.getpid(), "s:serial": counters["serial"]}, {}, {}, ())

    def draw_each(self, counters: Sequence[Mapping[str, int]], contexts: Sequence[Context]) -> list[Draft]:
        return list(map(self.draw, counters, contexts))


class SlowToDraw(Slow):
    """Has its values ready at once."""

    def prepare(self) -> Mapping[str, int]:
        return {"process": os.getpid()}
