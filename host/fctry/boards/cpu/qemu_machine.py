"""Espressif's QEMU as the machine of a board: EN ends and starts its process, IO0 chooses its strapping mode.

QEMU reads its flash file when it starts, so what happened to the file while EN was low is there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

from fctry.boards.cpu.guardian import Guardian
from fctry.boards.cpu.paced_process import PacedProcess
from fctry.boards.cpu.uart_process import UartProcess
from fctry.boards.reset import Boot

GRACE_S = 5.0
"""For QEMU's last writes: what the guest has written and read back may not be in the flash file yet."""


class QemuMachine:
    """The machine of a QEMU board.

    `commands` are the command lines for both strapping modes, with UART0 on stdin and stdout. With a `greeting`, that
    of the stub loader, input in download waits until it is taken.
    """

    def __init__(
        self,
        commands: Mapping[Boot, Sequence[str]],
        say: Callable[[bytes], None],
        *,
        greeting: bytes | None = None,
    ) -> None:
        self._commands = commands
        self._say = say
        self._greeting = greeting
        self._lock = threading.Lock()  # guards the following
        self._process: UartProcess | None = None
        self._guardian: Guardian | None = None
        self._is_off = False

    def start(self, boot: Boot) -> None:
        """EN rises."""
        arguments = self._commands[boot]
        with self._lock:
            if self._is_off:
                return
            self._halt()
            try:
                self._process = self._run(arguments, boot)
                self._guardian = Guardian(self._process.pid)  # QEMU does not mind that its stdin ends
                self._process.start()
            except OSError as error:
                self._say(f"cannot start {arguments[0]}: {error.strerror}\r\n".encode())

    def halt(self) -> None:
        """EN falls."""
        with self._lock:
            self._halt()

    def receive(self, data: bytes) -> None:
        """Bytes for UART0."""
        with self._lock:
            if self._process is not None:
                self._process.receive(data)

    def set_baud(self, baud: int) -> None:
        """QEMU's UART knows no baud rate."""

    def close(self) -> None:
        """Switch off."""
        with self._lock:
            self._is_off = True
            self._halt()

    def _run(self, arguments: Sequence[str], boot: Boot) -> UartProcess:
        if boot == Boot.DOWNLOAD and self._greeting is not None:
            return PacedProcess(
                arguments, on_output=self._say, on_end=self._ended, grace_s=GRACE_S, greeting=self._greeting
            )
        return UartProcess(arguments, on_output=self._say, on_end=self._ended, grace_s=GRACE_S)

    def _halt(self) -> None:
        process, self._process = self._process, None
        guardian, self._guardian = self._guardian, None
        if guardian is not None:
            guardian.dismiss()
        if process is not None:
            process.stop()
            process.join()  # it holds a lock on its flash file

    def _ended(self, status: int) -> None:
        if self._guardian is not None:
            self._guardian.dismiss()
        self._say(f"\r\nQEMU has ended with status {status}; EN starts it again\r\n".encode())
