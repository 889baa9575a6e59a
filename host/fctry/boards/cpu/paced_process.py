"""Input for a QEMU in which a loader waits for esptool: no faster than the loader takes it.

QEMU delivers bytes by the clock on the wall, also when the host gives it little time; the loader's receive buffer then
overflows, and esptool does not recover from that. Here the next bytes follow only when QEMU has had the time for the
last ones. The stub is quicker than the ROM.
"""

from __future__ import annotations

import array
import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fctry.boards.cpu.uart_process import UartProcess

IDLE_S = 0.2  # a QEMU that has used no CPU time for so long waits for input
POLL_S = 0.0005


@dataclass(frozen=True)
class Pace:
    """So many bytes at once, and so many seconds of CPU time for them."""

    chunk_bytes: int
    chunk_cpu_s: float


ROM_PACE = Pace(32, 0.002)  # 16 kB/s for a QEMU that has a core for itself; 115200 baud are 11.5 kB/s
STUB_PACE = Pace(64, 0.0005)


class PacedProcess(UartProcess):
    """A UartProcess whose input waits for its CPU time. `greeting` is what the stub says first."""

    def __init__(
        self,
        arguments: Sequence[str | Path],
        *,
        on_output: Callable[[bytes], None],
        on_end: Callable[[int], None],
        grace_s: float,
        greeting: bytes,
    ) -> None:
        self._greeting = greeting
        self._pass_on = on_output
        self._last_words = b""
        self._pace = ROM_PACE
        self._waiting = bytearray()
        self._has_input = threading.Condition()  # guards `_waiting`
        super().__init__(arguments, on_output=self._watch, on_end=on_end, grace_s=grace_s)
        self._feeder = threading.Thread(target=self._feed, name="qemu input", daemon=True)

    def start(self) -> None:
        """Begin to pass on what it prints, and its input."""
        super().start()
        self._feeder.start()

    def receive(self, data: bytes) -> None:
        """What arrives on UART0; it returns at once."""
        with self._has_input:
            self._waiting += data
            self._has_input.notify_all()

    def stop(self) -> None:
        """End it at once."""
        super().stop()
        with self._has_input:
            self._has_input.notify_all()

    def join(self) -> None:
        """Wait until nothing of it is left."""
        super().join()
        self._feeder.join()

    def _watch(self, output: bytes) -> None:
        if self._pace is ROM_PACE:
            self._pace = STUB_PACE if self._greeting in self._last_words + output else ROM_PACE
            self._last_words = output[-len(self._greeting) :]
        self._pass_on(output)

    def _feed(self) -> None:
        while True:
            with self._has_input:
                self._has_input.wait_for(lambda: self._waiting or self.is_stopped)
                if self.is_stopped:
                    return
                pace = self._pace
                chunk = bytes(self._waiting[: pace.chunk_bytes])
                del self._waiting[: pace.chunk_bytes]
            super().receive(chunk)
            self._wait_until_taken(pace)

    def _wait_until_taken(self, pace: Pace) -> None:
        enough_cpu_s = _cpu_s(self.pid) + pace.chunk_cpu_s
        idle_at = time.monotonic() + IDLE_S
        while not self.is_stopped:
            has_had_time = _cpu_s(self.pid) >= enough_cpu_s or time.monotonic() >= idle_at
            if has_had_time and not self._unread_bytes():
                return
            time.sleep(POLL_S)

    def _unread_bytes(self) -> int:
        """Bytes that wait in the pipe."""
        import fcntl  # these two are not on Windows
        import termios

        count = array.array("i", [0])
        with self._input, contextlib.suppress(OSError):
            if not self._stdin.closed:
                fcntl.ioctl(self._stdin.fileno(), termios.FIONREAD, count)
        return count[0]


def _cpu_s(pid: int) -> float:
    """Seconds of CPU time that the process has used; where another process's cannot be read, time on the wall.

    Source: clock_getcpuclockid(3), in its Linux form.
    """
    try:
        return time.clock_gettime(~pid << 3 | 2)
    except OSError:
        return time.monotonic()
