"""A CPU that is a process of this machine: the firmware's ELF, UART0 on its stdin and stdout, the flash on the bus."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fctry.boards.cpu.bus import REQUEST, Bus, BusRequest
from fctry.boards.cpu.uart_process import UartProcess
from fctry.boards.faults import PowerCutError
from fctry.boards.reset import ResetReason

FLASH_FILE_VARIABLE = "FCTRY_FLASH_FILE"
"""For firmware built by ESP-IDF for its linux target: it knows no bus, and maps the flash file itself."""
MAX_DATA_BYTES = 0x100000  # longer than anything that firmware programs at once: a request out of step


@dataclass(frozen=True)
class Ending:
    """Why the firmware does not run any more: it restarts (`SOFTWARE`), panicked, or its power failed."""

    reason: ResetReason
    text: str = ""  # what the chip prints about it


class NativeCpu:
    """Runs the ELF from the moment it is made until it ends by itself, or `stop`.

    `on_output` gets what the firmware prints, `on_end` why it ended by itself; both are called from a thread of this
    object, `on_output` never after `stop` has returned. Raises OSError if the ELF cannot be started.
    """

    def __init__(
        self,
        elf: Path,
        bus: Bus,
        *,
        on_output: Callable[[bytes], None],
        on_end: Callable[[NativeCpu, Ending], None],
    ) -> None:
        self._bus = bus
        self._on_end = on_end
        self._is_power_cut = False
        self._connection, theirs = socket.socketpair()
        try:
            with theirs:
                self._process = UartProcess(
                    [elf, "--bus", str(theirs.fileno())],
                    on_output=on_output,
                    on_end=self._ended,
                    environment={FLASH_FILE_VARIABLE: str(bus.flash_file)},  # and nothing of the host's
                    descriptors=[theirs.fileno()],
                )
        except OSError:
            self._connection.close()
            raise
        self._master = threading.Thread(target=self._serve_bus, name="cpu bus", daemon=True)
        self._master.start()
        self._process.start()

    def receive(self, data: bytes) -> None:
        """What arrives on UART0."""
        self._process.receive(data)

    def stop(self) -> None:
        """End the firmware at once, as EN low does."""
        self._process.stop()

    @property
    def is_gone(self) -> bool:
        """Whether nothing of it is left: no process, no thread."""
        return self._process.is_gone and not self._master.is_alive()

    def join(self) -> None:
        """Wait until nothing of it is left. To be called after `stop`, with no lock that the callbacks take."""
        self._process.join()
        self._master.join()

    def _ended(self, status: int) -> None:
        self._master.join()
        self._on_end(self, Ending(ResetReason.POWER_ON) if self._is_power_cut else _ending(status))

    def _serve_bus(self) -> None:
        with self._connection, contextlib.suppress(OSError), self._connection.makefile("rb") as requests:
            while len(header := requests.read(REQUEST.size)) == REQUEST.size:
                request = BusRequest.unpack(header)
                if request.data_bytes > MAX_DATA_BYTES:
                    return
                data = requests.read(request.data_bytes)
                if len(data) < request.data_bytes:
                    return  # it ended in the middle of a request, which is then not done
                reply = self._answer(request, data)
                if reply is None:
                    return
                self._connection.sendall(reply)

    def _answer(self, request: BusRequest, data: bytes) -> bytes | None:
        """The answer to a request, None if there is to be none any more."""
        with self._process.lock:  # so that no operation outlives `stop`
            if self._process.is_stopped:
                return None
            try:
                return self._bus.reply(request, data)
            except PowerCutError:
                self._is_power_cut = True
                self._process.kill()
                return None


def _ending(status: int) -> Ending:
    """Why a process with this exit status ended; negative is the number of a signal."""
    if status == 0:
        return Ending(ResetReason.SOFTWARE)
    if status == -signal.SIGABRT:
        text = "abort() was called"
    elif status < 0:
        text = f"Guru Meditation Error: Core  0 panic'ed ({signal.Signals(-status).name})"
    else:
        text = f"abort() was called: the firmware's process ended with status {status}"
    return Ending(ResetReason.PANIC, f"\r\n{text}\r\n\r\nRebooting...\r\n")
