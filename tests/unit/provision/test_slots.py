"""Which places a station takes."""

from __future__ import annotations

import pytest

from fctry.errors import InputError
from fctry.provision import slots
from fctry.provision.slots import Slot, choose_slots
from fctry.serialport import FoundPort

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
