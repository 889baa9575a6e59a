"""Devices that a spec would make, for those who look at it before the first one is made."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from fctry.identity.draft import Context, Draft
from fctry.identity.sources.column import Column
from fctry.identity.sources.station import AtStation
from fctry.identity.spec import Spec


def example_context(spec: Spec) -> Context:
    """A lot, a line, and the examples that the spec gives of cells and scans."""
    sources = spec.sources.values()
    return Context(
        datetime.now().astimezone(),
        lot="LOT",
        line="1",
        columns={one.column: one.example for one in sources if isinstance(one, Column)},
        station={one.name: one.example for one in sources if isinstance(one, AtStation)},
    )


def numbers(spec: Spec, *, last: bool = False) -> dict[str, int]:
    """The first or the last number of each counter."""
    return {name: one.last if last else one.first for name, one in spec.counters.items()}


def example(spec: Spec, *, last: bool = False) -> Draft:
    """The first device or the last one, without the columns of which there is no example. Raises InputError."""
    lenient = replace(spec, fields=tuple(replace(one, is_optional=True) for one in spec.fields))
    return lenient.draw(numbers(spec, last=last), example_context(spec))
