"""What a cable is plugged into: a serial port with EN and IO0 on RTS and DTR.

A port knows no chip. What comes over the cable it passes to a `Wire`, from a thread of its own.
"""

from __future__ import annotations

from typing import Protocol


class Wire(Protocol):
    """What is at the other end of a port. Its methods may be called from any thread, one at a time."""

    def receive(self, data: bytes) -> None:
        """Take in what the client wrote."""

    def set_lines(self, *, rts: bool, dtr: bool) -> None:
        """The output lines of the port changed; True is asserted."""

    def set_baud(self, baud: int) -> None:
        """The client set its baud rate."""


class Port(Protocol):
    """A serial port that serves one client at a time."""

    @property
    def url(self) -> str:
        """The port, as pyserial and esptool take it."""

    def start(self, wire: Wire) -> None:
        """Begin to accept clients."""

    def send(self, data: bytes) -> None:
        """Send what the device says to the client. With none connected it is lost, as on a wire."""

    def vanish(self, seconds: float) -> None:
        """Be gone for so long, as an adapter that is pulled out and put in again."""

    def close(self) -> None:
        """Disconnect the client and stop listening. Without effect the second time."""
