"""A CPU that is a process of this machine: the firmware's ELF, UART0 on its stdin and stdout, the flash on the bus."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fctry.boards.boot import ResetReason
from fctry.boards.bus import REQUEST, Bus, BusRequest
from fctry.boards.nor_flash import PowerCutError

READ_BYTES = 65536
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

    `on_output` gets what the firmware prints, `on_end` why it ended by itself; both are called from threads of this
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
        self._on_output = on_output
        self._on_end = on_end
        self._lock = threading.Lock()  # held for each operation of the firmware, so that none outlives `stop`
        self._is_stopped = False
        self._input = threading.Lock()  # guards the use of stdin against its being closed
        self._connection, theirs = socket.socketpair()
        try:
            with theirs:
                self._process = subprocess.Popen(
                    [elf, "--bus", str(theirs.fileno())],
                    env={FLASH_FILE_VARIABLE: str(bus.flash_file)},  # and nothing of the host's
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    pass_fds=[theirs.fileno()],
                    bufsize=0,
                    start_new_session=True,  # Ctrl-C is for the board, not for its CPU
                )
        except OSError:
            self._connection.close()
            raise
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        os.set_blocking(self._stdin.fileno(), False)
        self._console = threading.Thread(target=self._console_loop, name="cpu console", daemon=True)
        self._runner = threading.Thread(target=self._run, name="cpu bus", daemon=True)
        self._console.start()
        self._runner.start()

    def receive(self, data: bytes) -> None:
        """What arrives on UART0. What the firmware does not read in time is lost, as when a FIFO overruns."""
        with self._input, contextlib.suppress(BlockingIOError, BrokenPipeError):
            if not self._stdin.closed:
                os.write(self._stdin.fileno(), data)

    def stop(self) -> None:
        """End the firmware at once, as EN low does."""
        with self._lock:
            self._is_stopped = True
            self._process.kill()

    @property
    def is_gone(self) -> bool:
        """Whether nothing of it is left: no process, no thread."""
        return not self._runner.is_alive()

    def join(self) -> None:
        """Wait until nothing of it is left. To be called after `stop`, with no lock that the callbacks take."""
        self._runner.join()

    def _console_loop(self) -> None:
        while output := os.read(self._stdout.fileno(), READ_BYTES):
            with self._lock:
                if self._is_stopped:
                    return
                self._on_output(output)

    def _run(self) -> None:
        is_power_cut = False
        try:
            self._serve_bus()
        except PowerCutError:
            is_power_cut = True
            self._process.kill()
        self._connection.close()  # a firmware that broke the protocol is to notice
        status = self._process.wait()
        self._console.join()
        with self._input:
            self._stdin.close()
        self._stdout.close()
        with self._lock:
            is_stopped, self._is_stopped = self._is_stopped, True
        if not is_stopped:
            self._on_end(self, Ending(ResetReason.POWER_ON) if is_power_cut else _ending(status))

    def _serve_bus(self) -> None:
        """Answer the firmware until it is gone. Raises PowerCutError."""
        with contextlib.suppress(OSError), self._connection.makefile("rb") as requests:
            while len(header := requests.read(REQUEST.size)) == REQUEST.size:
                request = BusRequest.unpack(header)
                if request.data_bytes > MAX_DATA_BYTES:
                    return
                data = requests.read(request.data_bytes)
                if len(data) < request.data_bytes:
                    return  # it ended in the middle of a request, which is then not done
                with self._lock:
                    if self._is_stopped:
                        return
                    reply = self._bus.reply(request, data)
                self._connection.sendall(reply)


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
