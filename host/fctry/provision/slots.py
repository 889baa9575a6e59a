"""The places for boards at a station."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fctry.errors import InputError
from fctry.serialport import find_ports, only_port

ALL = "all"


@dataclass(frozen=True)
class Slot:
    """A place for a board: what it is called, and its serial port: a device name, a URL, or a USB location."""

    name: str
    place: str


def choose_slots(known: Mapping[str, str], wanted: Sequence[str]) -> list[Slot]:
    """The slots that are wanted, by name or place; without any, all that are known, else the only board.

    Where slots are known, nothing else is touched. Where none are, `all` is every board that is connected. Raises
    InputError for what is none of the known slots, PortError where no board is connected.
    """
    if known:
        slots = [Slot(name, place) for name, place in known.items()]
        for one in wanted:
            if one != ALL and not any(one in (slot.name, slot.place) for slot in slots):
                raise InputError(
                    f"{one} is none of this project's slots",
                    hint=f"there are {', '.join(known)}; others are not touched (`slots` in the settings)",
                )
        chosen = [slot for slot in slots if slot.name in wanted or slot.place in wanted]
        return slots if not wanted or ALL in wanted else chosen
    places = wanted or [only_port()]
    if ALL in places:
        places = [found.device for found in find_ports()] or [only_port()]
    return [Slot(place.rsplit("/", 1)[-1], place) for place in dict.fromkeys(places)]
