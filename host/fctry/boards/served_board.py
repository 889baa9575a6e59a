"""What all boards without a board have in common: a port, and the auto-reset circuit on its lines."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Protocol, TypeVar

from fctry.boards.port import Port
from fctry.boards.port.auto_reset import AutoReset, Held, Released
from fctry.boards.port.cable import Cable, Traffic
from fctry.boards.port.line_faults import Loss
from fctry.boards.port.rfc2217_port import Rfc2217Port
from fctry.boards.reset import Boot

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
    """Base of the boards: a subclass makes `_machine`, which says on `_port` what it has to say.

    The board is on while it is entered. `port` is a TCP port, 0 for a free one, or a port of another kind. Raises
    PortError if it is taken. `faults` are those of the line, which takes its time if it `is_paced`.
    """

    _machine: Machine

    def __init__(self, port: int | Port, *, faults: Sequence[Loss] = (), is_paced: bool = False) -> None:
        self._circuit = AutoReset()
        self._port: Port = Rfc2217Port(port) if isinstance(port, int) else port
        self._cable = Cable(faults, is_paced=is_paced, vanish=self._port.vanish)

    @property
    def url(self) -> str:
        """The port, as pyserial and esptool take it."""
        return self._port.url

    @property
    def traffic(self) -> Traffic:
        """What passed over the line since the board was made."""
        return self._cable.traffic

    def _say(self, data: bytes) -> None:
        """What the machine has to say."""
        self._cable.to_host(data, self._port.send)

    @property
    def is_boot_button_down(self) -> bool:
        """The BOOT button, which pulls IO0 low. It may be set at any time."""
        return self._circuit.is_boot_button_down

    @is_boot_button_down.setter
    def is_boot_button_down(self, is_down: bool) -> None:
        self._circuit.is_boot_button_down = is_down

    def __enter__(self: AnyBoard) -> AnyBoard:
        try:
            self._machine.start(self._circuit.boot)
            self._port.start(_Wiring(self._circuit, self._machine, self._cable))
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Switch the board off: no thread, process or open file of it is left."""
        try:
            self._port.close()
        finally:
            self._machine.close()


class _Wiring:
    """The port's lines on the circuit's transistors, and the circuit on the machine's EN."""

    def __init__(self, circuit: AutoReset, machine: Machine, cable: Cable) -> None:
        self._circuit = circuit
        self._machine = machine
        self._cable = cable

    def receive(self, data: bytes) -> None:
        self._cable.to_chip(data, self._machine.receive, self._lose_power)

    def set_baud(self, baud: int) -> None:
        self._cable.baud = baud
        self._machine.set_baud(baud)

    def set_lines(self, *, rts: bool, dtr: bool) -> None:
        event = self._circuit.set_lines(rts=rts, dtr=dtr)
        if isinstance(event, Held):
            self._machine.halt()
        elif isinstance(event, Released):
            self._machine.start(event.boot)

    def _lose_power(self) -> None:
        self._machine.halt()
        self._machine.start(self._circuit.boot)
