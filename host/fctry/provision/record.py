"""The record of one try on one device: what was done, by whom, with which outcome. It holds no secret.

As JSON it is versioned: `SCHEMA` describes it, and `from_dict` reads what `as_dict` wrote.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from fctry.errors import FormatError

VERSION = 1
RUN_TESTS = "run tests"  # the step that runs the product's tests


@dataclass(frozen=True)
class StepRecord:
    """One step: what it did, or why it failed and what to do about it, and how long it took."""

    name: str
    seconds: float
    did: str = ""
    error: str = ""
    hint: str = ""


@dataclass(frozen=True)
class Measurement:
    """What a test of the product measured, and its limits, which belong to what is allowed."""

    name: str
    value: float
    unit: str = ""
    low: float | None = None
    high: float | None = None

    @property
    def is_within(self) -> bool:
        """Whether it is within its limits."""
        return (self.low is None or self.low <= self.value) and (self.high is None or self.value <= self.high)

    @property
    def limits(self) -> str:
        """Its limits in words."""
        limits = [
            f"{word} {limit:g}"
            for word, limit in (("low", self.low), ("high", self.high))
            if limit is not None
        ]
        return ", ".join(limits)

    def __str__(self) -> str:
        limits = f" ({self.limits})" if self.limits else ""
        return f"{self.name} {self.value:g} {self.unit}".rstrip() + limits


@dataclass(frozen=True)
class CaseRecord:
    """A test of the product's own: `outcome` is passed, failed or skipped; `error` says why not passed."""

    name: str
    seconds: float
    outcome: str
    error: str = ""
    measurements: tuple[Measurement, ...] = ()


@dataclass(frozen=True)
class Record:
    """One try. `started_at` is in ISO 8601, UTC; `device` its number in the ledger, None where it got none.

    `chip` is what the chip said of itself, `public` what people may see of the device's values, `about` who tried it
    where and for which order, `cases` the product's own tests. `unchecked` is what this device's state did not let be
    checked.
    """

    started_at: str
    steps: tuple[StepRecord, ...]
    device: int | None = None
    image_sha256: str = ""
    chip: Mapping[str, str] = field(default_factory=dict)
    public: Mapping[str, str] = field(default_factory=dict)
    about: Mapping[str, str] = field(default_factory=dict)
    unchecked: tuple[str, ...] = ()
    cases: tuple[CaseRecord, ...] = ()

    @property
    def failed(self) -> StepRecord | None:
        """The step that failed, None when the device is proven."""
        last = self.steps[-1]
        return last if last.error else None

    @property
    def reason(self) -> str:
        """Why it failed, in the same words for every slot."""
        if not self.failed:
            return ""
        port = self.about.get("port")
        error = self.failed.error.replace(f" at {port}", "") if port else self.failed.error
        return f"{self.failed.name}: {error}"

    @property
    def measurements(self) -> list[Measurement]:
        """What its tests measured."""
        return [one for case in self.cases for one in case.measurements]

    @property
    def seconds(self) -> float:
        """How long it took."""
        return sum(step.seconds for step in self.steps)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        outcome = "failed" if self.failed else "proven"
        return {"schema": VERSION, "outcome": outcome, **asdict(self)}


def from_dict(said: Mapping[str, Any]) -> Record:
    """The record that `as_dict` made this of. Raises FormatError for another version, and for what is no record."""
    if said.get("schema") != VERSION:
        raise FormatError(
            f"a record of version {said.get('schema')!r}, not {VERSION}",
            hint="read it with the fctry that wrote it",
        )
    names = {one.name for one in fields(Record)}
    try:
        known = {name: value for name, value in said.items() if name in names}
        steps = tuple(StepRecord(**step) for step in known.pop("steps"))
        cases = tuple(map(_case, known.pop("cases", ())))
        return Record(steps=steps, cases=cases, **{**known, "unchecked": tuple(known.get("unchecked", ()))})
    except (KeyError, TypeError) as error:
        raise FormatError(
            f"not a record: {error}", hint="take it from the ledger again: fctry record export"
        ) from None


def _case(said: Mapping[str, Any]) -> CaseRecord:
    measured = tuple(Measurement(**one) for one in said.get("measurements", ()))
    return CaseRecord(**{**said, "measurements": measured})


_TEXT = {"type": "string"}
_SECONDS = {"type": "number", "minimum": 0}
_LIMIT = {"type": ["number", "null"]}
_TEXTS = {"type": "object", "additionalProperties": _TEXT}


def _list_of(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    one = {
        "type": "object",
        "properties": properties,
        "required": [*properties],
        "additionalProperties": False,
    }
    return {"type": "array", "items": one}


SCHEMA: Mapping[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "fctry record",
    "type": "object",
    "properties": {
        "schema": {"const": VERSION},
        "outcome": {"enum": ["proven", "failed"]},
        "started_at": {"type": "string", "format": "date-time"},
        "device": {"type": ["integer", "null"], "description": "its number in the ledger"},
        "image_sha256": {"type": "string", "description": "of the plain image, in hexadecimal digits"},
        "chip": _TEXTS,
        "public": _TEXTS,
        "about": _TEXTS,
        "unchecked": {"type": "array", "items": _TEXT},
        "steps": {
            **_list_of({"name": _TEXT, "seconds": _SECONDS, "did": _TEXT, "error": _TEXT, "hint": _TEXT}),
            "minItems": 1,
        },
        "cases": _list_of(
            {
                "name": _TEXT,
                "seconds": _SECONDS,
                "outcome": {"enum": ["passed", "failed", "skipped"]},
                "error": _TEXT,
                "measurements": _list_of(
                    {"name": _TEXT, "value": {"type": "number"}, "unit": _TEXT, "low": _LIMIT, "high": _LIMIT}
                ),
            }
        ),
    },
    "required": ["schema", "outcome", "started_at", "steps", "device", "chip", "public", "about"],
    "additionalProperties": False,
}
