"""A process that is (a part of) a chip: UART0 is on its stdin and stdout."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

READ_BYTES = 65536


class UartProcess:
    """Runs from `start` until it ends by itself, or `stop`.

    `on_output` gets what it prints, `on_end` its exit status if it ended by itself (negative is a signal's number);
    both are called from a thread of this object, and `on_output` never after `stop` has returned. With `grace_s`, it
    is asked to end (SIGTERM), and killed when it takes longer. Pipes, not a socket, because they take single bytes
    without losing one. Raises OSError if the program cannot be run.
    """

    def __init__(
        self,
        arguments: Sequence[str | Path],
        *,
        on_output: Callable[[bytes], None],
        on_end: Callable[[int], None],
        environment: Mapping[str, str] | None = None,
        descriptors: Sequence[int] = (),
        grace_s: float = 0.0,
    ) -> None:
        self._on_output = on_output
        self._grace_s = grace_s
        self._on_end = on_end
        self.lock = threading.Lock()  # guards `is_stopped`; who holds it is not overtaken by `stop`
        self.is_stopped = False
        self._input = threading.Lock()  # guards the use of stdin against its being closed
        self._process = subprocess.Popen(
            arguments,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=descriptors,
            bufsize=0,
            start_new_session=True,  # Ctrl-C is for the board, not for its chip
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        os.set_blocking(self._stdin.fileno(), False)
        self._thread = threading.Thread(target=self._run, name=f"uart of {arguments[0]}", daemon=True)

    def start(self) -> None:
        """Begin to pass on what it prints."""
        self._thread.start()

    def receive(self, data: bytes) -> None:
        """What arrives on UART0. What is not read in time is lost, as when a FIFO overruns."""
        with self._input, contextlib.suppress(BlockingIOError, BrokenPipeError):
            if not self._stdin.closed:
                os.write(self._stdin.fileno(), data)

    def kill(self) -> None:
        """End it at once; `on_end` follows."""
        self._process.kill()

    def stop(self) -> None:
        """End it at once, and say no more of it, as EN low does."""
        with self.lock:
            self.is_stopped = True
            if self._grace_s:
                self._process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(self._grace_s)
            self._process.kill()  # nothing, if it has ended

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def is_gone(self) -> bool:
        """Whether nothing of it is left: no process, no thread."""
        return not self._thread.is_alive()

    def join(self) -> None:
        """Wait until nothing of it is left. To be called after `stop`, with no lock that the callbacks take."""
        self._thread.join()

    def _run(self) -> None:
        while output := os.read(self._stdout.fileno(), READ_BYTES):
            with self.lock:
                if self.is_stopped:
                    break
                self._on_output(output)
        status = self._process.wait()
        with self._input:
            self._stdin.close()
        self._stdout.close()
        with self.lock:
            is_stopped, self.is_stopped = self.is_stopped, True
        if not is_stopped:
            self._on_end(status)
