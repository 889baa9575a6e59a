"""The line between a port and a chip, both ways: its faults, its pace, and what passed over it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fctry.boards.port.line_faults import Delay, FaultyLine, Loss, PowerLoss, To, Vanish

BITS_PER_BYTE = 10  # start, 8 of data, stop


@dataclass(frozen=True)
class Traffic:
    """Bytes that passed since the board was made."""

    to_chip_bytes: int
    to_host_bytes: int


class Cable:
    """`is_paced`: bytes take their time at the client's baud rate. `vanish` takes the port away for some seconds,
    `lose_power` takes the chip's. Each direction is used by one thread at a time.
    """

    def __init__(self, faults: Sequence[Loss], *, is_paced: bool, vanish: Callable[[float], None]) -> None:
        self._lines = {to: FaultyLine([fault for fault in faults if fault.to == to]) for to in To}
        self._free_at_s = dict.fromkeys(To, 0.0)
        self._to_host = threading.Lock()  # the chip speaks from several threads
        self._is_paced = is_paced
        self._vanish = vanish
        self.baud = 0

    @property
    def traffic(self) -> Traffic:
        """What passed so far."""
        return Traffic(self._lines[To.CHIP].passed_bytes, self._lines[To.HOST].passed_bytes)

    def to_chip(self, data: bytes, receive: Callable[[bytes], None], lose_power: Callable[[], None]) -> None:
        """Bytes of the client."""
        self._pass(To.CHIP, data, receive, lose_power)

    def to_host(self, data: bytes, send: Callable[[bytes], None]) -> None:
        """Bytes of the chip."""
        with self._to_host:
            self._pass(To.HOST, data, send, lambda: None)

    def _pass(
        self, to: To, data: bytes, passed_to: Callable[[bytes], None], lose_power: Callable[[], None]
    ) -> None:
        for piece in self._lines[to].pass_on(data):
            if isinstance(piece, bytes):
                self._take_time(to, len(piece))
                passed_to(piece)
            elif isinstance(piece, Delay):
                time.sleep(piece.seconds)
            elif isinstance(piece, Vanish):
                self._vanish(piece.seconds)
            elif isinstance(piece, PowerLoss):
                lose_power()

    def _take_time(self, to: To, size_bytes: int) -> None:
        if self._is_paced and self.baud:
            now_s = time.monotonic()
            self._free_at_s[to] = max(now_s, self._free_at_s[to]) + size_bytes * BITS_PER_BYTE / self.baud
            time.sleep(self._free_at_s[to] - now_s)
