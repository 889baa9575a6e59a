"""What happens at the serial port: flashing, the firmware's console, and what it proves.

What is imported from here is loaded when it is first asked for: esptool takes longer to load than most programs run.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fctry.device.commands import Answer
    from fctry.device.console import Console, Wire
    from fctry.device.deadline import Deadline
    from fctry.device.fake_console import FakeConsole
    from fctry.device.flasher import Chip, connect
    from fctry.device.proof import Comparison, Proof, compare
    from fctry.device.report import Event, Report, ReportedItem

__all__ = [
    "Answer",
    "Chip",
    "Comparison",
    "Console",
    "Deadline",
    "Event",
    "FakeConsole",
    "Proof",
    "Report",
    "ReportedItem",
    "Wire",
    "compare",
    "connect",
]

_MODULES = {
    "commands": ("Answer",),
    "console": ("Console", "Wire"),
    "deadline": ("Deadline",),
    "fake_console": ("FakeConsole",),
    "flasher": ("Chip", "connect"),
    "proof": ("Comparison", "Proof", "compare"),
    "report": ("Event", "Report", "ReportedItem"),
}


def __getattr__(name: str) -> Any:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
