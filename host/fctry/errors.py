"""The error tree. Whatever goes wrong for a reason outside this code is one of these.

    FctryError
    ├── InputError         what the user gave is wrong: a CSV, a table, an option
    │   └── CapacityError  it is well-formed, but there is more of it than fits
    ├── FormatError        bytes are not what their format says
    ├── PortError          the serial port: nobody listens, busy, gone
    ├── LedgerError        the ledger cannot be opened or written, or is not the one it should be
    ├── BoardError         a board without a board cannot do what was asked
    └── DeviceError        a device, or esptool for it, did not do or say what it should
        └── ReportError    a report line of it is damaged, or one was lost

Every error carries its place beside its text, and a `hint` that says what to do, written where the error is raised.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from pathlib import Path

_E = TypeVar("_E", bound="FctryError")


class FctryError(Exception):
    """Base of all errors of this project.

    `file` and `line` (counted from 1) name the place in the user's input, `offset` the place in bytes
    (relative to their start), `expected` and `found` what was there. `also` has the other errors of an input
    that is told all of them at once.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        file: str | Path | None = None,
        line: int | None = None,
        offset: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.file = file
        self.line = line
        self.offset = offset
        self.also: tuple[FctryError, ...] = ()

    @property
    def where(self) -> str:
        """The place as `file:line`, `file`, `line N` or nothing, as far as it is known."""
        if self.file is None:
            return "" if self.line is None else f"line {self.line}"
        return str(self.file) if self.line is None else f"{self.file}:{self.line}"

    def at(self: _E, *, file: str | Path | None = None, line: int | None = None) -> _E:
        """This error, with what is known of the place; what it knows itself stays."""
        self.file = file if self.file is None else self.file
        self.line = line if self.line is None else self.line
        return self

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" if self.where else self.message


class InputError(FctryError):
    """What the user gave is wrong."""


class CapacityError(InputError):
    """More data than fits."""


class FormatError(FctryError):
    """Bytes are not what their format says."""


class PortError(FctryError):
    """The serial port cannot be used."""


class LedgerError(FctryError):
    """The ledger cannot be used."""


class BoardError(FctryError):
    """A board without a board cannot do what was asked."""


class DeviceError(FctryError):
    """A device, or esptool on its behalf, did not do or say what it should."""


class ReportError(DeviceError):
    """A report line is damaged, or one was lost: what the device said counts for nothing."""
