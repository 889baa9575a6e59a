"""Which places a station takes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from fctry.errors import InputError
from fctry.provision import slots
from fctry.provision.job import Job
from fctry.provision.line import Event, Line, Untried
from fctry.provision.record import Record, StepRecord
from fctry.provision.slots import Slot, choose_slots
from fctry.serialport import FoundPort

JOB = cast(Job, SimpleNamespace(tests=None))
KNOWN = {"left": "1-1.2", "right": "/dev/ttyUSB7"}


@pytest.mark.parametrize(
    ("wanted", "names"),
    [([], ["left", "right"]), (["all"], ["left", "right"]), (["right"], ["right"]), (["1-1.2"], ["left"])],
)
def test_slots_of_the_settings_are_taken_by_name_or_place(wanted: list[str], names: list[str]) -> None:
    assert choose_slots(KNOWN, wanted) == [Slot(name, KNOWN[name]) for name in names]


def test_what_is_no_slot_of_the_settings_is_not_touched() -> None:
    with pytest.raises(InputError, match="/dev/ttyUSB0 is none") as caught:
        choose_slots(KNOWN, ["left", "/dev/ttyUSB0"])
    assert "left, right" in caught.value.hint


def test_without_slots_any_port_is_taken_once_or_all_boards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "only_port", lambda: "/dev/only")
    monkeypatch.setattr(slots, "find_ports", lambda: [FoundPort(f"/dev/tty{n}", "", "") for n in "AB"])
    assert choose_slots({}, []) == [Slot("only", "/dev/only")]
    assert choose_slots({}, ["/dev/x", "rfc2217://h:1", "/dev/x"]) == [
        Slot("x", "/dev/x"),
        Slot("h:1", "rfc2217://h:1"),
    ]
    assert choose_slots({}, ["all"]) == [Slot("ttyA", "/dev/ttyA"), Slot("ttyB", "/dev/ttyB")]


def test_equal_failures_in_a_row_stop_the_line_in_whichever_slots() -> None:
    slots = [Slot(name, name) for name in "ab"]
    line = Line(JOB, slots, failures_max=2)

    def told(slot: Slot, error: str) -> bool:
        steps = (StepRecord("write", 0.1, error=error),)
        line.count(Event(slot, Record("2026-11-26T02:21:08+00:00", steps, about={"port": slot.place})))
        return line.is_halted

    assert not told(slots[0], "cannot write at a: why")
    assert not told(slots[1], "other")
    assert not told(slots[0], "cannot write at a: why")
    assert not told(slots[0], "")  # proven
    assert not told(slots[0], "cannot write at a: why")
    assert told(slots[1], "cannot write at b: why")


def test_boards_that_cannot_be_tried_for_one_reason_stop_an_endless_line() -> None:
    slots = [Slot(name, name) for name in ("left", "right")]
    for is_endless in (False, True):
        line = Line(JOB, slots, failures_max=2, is_endless=is_endless)
        for slot in slots:
            line.count(Event(slot, Untried(f"could not open port {slot.place}: busy")))
        assert line.is_halted == is_endless  # else all have begun
