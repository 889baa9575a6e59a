"""Fault plans: what goes wrong on a board, one fault a line.

    # the third erasure is torn, and one byte of the chip's answers is lost
    power-cut erase=3 tear=zeroing seed=7
    drop byte=120 to=host

A plan is a file, or given fault by fault. `docs/boards.md` has the table of faults.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, fields
from enum import Enum
from pathlib import Path
from typing import Any, get_type_hints

from fctry.boards.chip.chips import CHIPS
from fctry.boards.chip.flash_faults import LeakySector, PowerCut, WornSector
from fctry.boards.chip.nor_flash import SECTOR_BYTES, SIZES_BYTES
from fctry.boards.chip.start_faults import BootLoop, Silent
from fctry.boards.port.line_faults import Delay, Doubling, Flip, Loss, Vanish
from fctry.errors import InputError
from fctry.files import read_file
from fctry.partitions.sizes import parse_size

NO_MAC = bytes(6)


class Level(Enum):
    """Of a line."""

    LOW = "low"
    HIGH = "high"


@dataclass(frozen=True)
class StuckBoot:
    """IO0 is stuck: low, and the chip never starts its application; high, and it never waits for a download."""

    level: Level


@dataclass(frozen=True)
class WrongChip:
    """Another kind of chip is on the board."""

    chip: str

    def __post_init__(self) -> None:
        if self.chip not in CHIPS:
            raise ValueError(f"chip is one of {', '.join(CHIPS)}, not {self.chip!r}")


@dataclass(frozen=True)
class SmallerFlash:
    """Another flash is on the board."""

    size: int

    def __post_init__(self) -> None:
        if self.size not in SIZES_BYTES:
            raise ValueError(f"size is one of {', '.join(f'{size >> 20}MB' for size in SIZES_BYTES)}")


@dataclass(frozen=True)
class WrongMac:
    """No MAC address was burnt, or that of another device."""

    address: bytes = NO_MAC

    def __post_init__(self) -> None:
        if len(self.address) != len(NO_MAC):
            raise ValueError("address is written as 24:0a:c4:00:00:01")


@dataclass(frozen=True)
class SecureDownload:
    """The chip is in Secure Download mode."""


@dataclass(frozen=True)
class RealTime:
    """Not a fault: the line takes its time at the client's baud rate, the flash that of a W25Q512JV."""


Fault = (
    Loss
    | PowerCut
    | WornSector
    | LeakySector
    | Silent
    | BootLoop
    | StuckBoot
    | WrongChip
    | SmallerFlash
    | WrongMac
    | SecureDownload
    | RealTime
)

FAULTS: Mapping[str, type[Fault]] = {
    "power-cut": PowerCut,
    "drop": Loss,
    "flip": Flip,
    "double": Doubling,
    "delay": Delay,
    "vanish": Vanish,
    "worn": WornSector,
    "leaky": LeakySector,
    "silent": Silent,
    "boot-loop": BootLoop,
    "stuck-boot": StuckBoot,
    "wrong-chip": WrongChip,
    "smaller-flash": SmallerFlash,
    "mac": WrongMac,
    "secure-download": SecureDownload,
    "real-time": RealTime,
}
_MOST = 0xFFFFFFFF
_COUNTED_FROM_1 = ("byte", "count", "start")


def parse_fault(text: str, *, file: Path | None = None, line: int | None = None) -> Fault:
    """The fault in `NAME KEY=VALUE…`. Raises InputError that says what there is, and where."""
    name, *words = text.split()
    kind = FAULTS.get(name)
    if kind is None:
        raise InputError(
            f"no fault is called {name!r}", hint=f"choose one of {', '.join(FAULTS)}", file=file, line=line
        )
    types = get_type_hints(kind)
    given: dict[str, Any] = {}
    try:
        for word in words:
            key, _, value = word.partition("=")
            if key not in types or not value or key in given:
                raise ValueError(f"{word!r} is not for the fault {name}, or there twice")
            given[key] = _READERS.get(types[key], types[key])(value)
            lowest = int(key in _COUNTED_FROM_1)
            if isinstance(given[key], int | float) and not lowest <= given[key] <= _MOST:
                raise ValueError(f"{key} is {lowest} or more, not {value}")
        if given.get("sector", 0) % SECTOR_BYTES:
            raise ValueError(f"a sector begins at a multiple of {SECTOR_BYTES:#x}")
        missing = [one.name for one in fields(kind) if one.default is MISSING and one.name not in given]
        if missing:
            raise ValueError(f"{name} needs {', '.join(missing)}")
        return kind(**given)
    except (ValueError, InputError) as error:
        raise InputError(
            f"{text.strip()}: {error}", hint=f"a {name} is written so: {_usage(name)}", file=file, line=line
        ) from error


def read_plan(path: Path) -> tuple[Fault, ...]:
    """The faults in a file, one a line; `#` begins a comment. Raises InputError with file and line."""
    try:
        lines = read_file(path).decode().splitlines()
    except UnicodeDecodeError as error:
        raise InputError("this is not UTF-8", hint="write the plan with a text editor", file=path) from error
    stripped = ((number, line.partition("#")[0]) for number, line in enumerate(lines, 1))
    return tuple(parse_fault(text, file=path, line=number) for number, text in stripped if text.strip())


def only(kind: type[Any], faults: Iterable[Fault]) -> Any:
    """The last fault of that kind, or None."""
    return next((fault for fault in reversed(list(faults)) if isinstance(fault, kind)), None)


def _usage(name: str) -> str:
    kind = FAULTS[name]
    types = get_type_hints(kind)
    words = [name]
    for one in fields(kind):
        choices = (
            [member.value for member in types[one.name]] if _is_enum(types[one.name]) else [one.name.upper()]
        )
        word = f"{one.name}={'|'.join(choices)}"
        words.append(word if one.default is MISSING else f"[{word}]")
    return " ".join(words)


def _is_enum(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Enum)


def _mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


_READERS: Mapping[Any, Callable[[str], Any]] = {int: parse_size, bytes: _mac}
