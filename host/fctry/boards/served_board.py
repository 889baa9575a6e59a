"""What all boards without a board have in common: an RFC2217 port, and the auto-reset circuit on its lines."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, TypeVar

from fctry.boards.auto_reset import AutoReset, Boot, Held, Released
from fctry.boards.rfc2217_server import LOOPBACK, Rfc2217Server

AnyBoard = TypeVar("AnyBoard", bound="ServedBoard")


class Machine(Protocol):
    """What hangs on EN, IO0 and UART0. Its methods may be called from any thread."""

    def start(self, boot: Boot) -> None:
        """EN rises, with IO0 as `boot` says."""

    def halt(self) -> None:
        """EN falls. Without effect on a machine that does not run."""

    def receive(self, data: bytes) -> None:
        """Bytes for UART0."""

    def set_baud(self, baud: int) -> None:
        """The baud rate at the other end of UART0."""

    def close(self) -> None:
        """Halt for ever, and leave no thread, process or open file."""


class ServedBoard:
    """Base of the boards: a subclass makes `_machine`, which says what it has to say with `_say`.

    The board is on while it is entered. `port` 0 takes a free one. Raises PortError if it is taken.
    """

    _machine: Machine

    def __init__(self, port: int) -> None:
        self._circuit = AutoReset()
        self._server = Rfc2217Server(self, port)

    @property
    def url(self) -> str:
        """The port, as pyserial and esptool take it."""
        return f"rfc2217://{LOOPBACK}:{self._server.port}"

    @property
    def is_boot_button_down(self) -> bool:
        """The BOOT button, which pulls IO0 low. It may be set at any time."""
        return self._circuit.is_boot_button_down

    @is_boot_button_down.setter
    def is_boot_button_down(self, is_down: bool) -> None:
        self._circuit.is_boot_button_down = is_down

    def __enter__(self: AnyBoard) -> AnyBoard:
        self._machine.start(self._circuit.boot)
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Switch the board off: no thread, process or open file of it is left."""
        self._server.close()
        self._machine.close()

    def _say(self, data: bytes) -> None:
        self._server.send(data)

    # -- called by the server, from its client's thread

    def set_lines(self, *, rts: bool, dtr: bool) -> None:
        """The port's output lines changed; True is asserted."""
        event = self._circuit.set_lines(rts=rts, dtr=dtr)
        if isinstance(event, Held):
            self._machine.halt()
        elif isinstance(event, Released):
            self._machine.start(event.boot)

    def set_baud(self, baud: int) -> None:
        """The client set its baud rate."""
        self._machine.set_baud(baud)

    def receive(self, data: bytes) -> None:
        """What the client wrote."""
        self._machine.receive(data)
