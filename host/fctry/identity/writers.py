"""Images of devices made, hashed and written by all cores.

The processes are forked, before any thread is there, and get values through pipes: no secret is in an argument or a
file. Each ends with the process that began it, however that ends. Where there is no fork, one process does it all.
"""

from __future__ import annotations

import os
import pickle
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from hashlib import sha256
from itertools import cycle, islice
from typing import BinaryIO, NamedTuple

from fctry.errors import InputError
from fctry.files import write_new
from fctry.identity.cores import cores, is_forkable
from fctry.identity.draft import Draft

Named = tuple[str, Draft]
"""The name of a file, and the device that is in it."""
WORTH = 400  # devices: fewer are done before the others have begun
AT_ONCE = 100  # what they are told of them fits into a pipe, and so do the answers
AHEAD = 2  # such parts for each process: it never waits for the next


class _Child(NamedTuple):
    pid: int
    tasks: BinaryIO
    answers: BinaryIO

    def tell(self, folder: str, devices: Sequence[Named]) -> None:
        some = [(name, draft.values, draft.secrets) for name, draft in devices]
        try:
            pickle.dump((folder, some), self.tasks)
            self.tasks.flush()
        except BrokenPipeError:
            raise _killed() from None

    def answer(self) -> list[str]:
        try:
            answer = pickle.load(self.answers)
        except (EOFError, pickle.UnpicklingError):  # killed before or within its answer
            raise _killed() from None
        if isinstance(answer, Exception):
            raise answer
        digests: list[str] = answer
        return digests


class Writers:
    """Writes files of devices. `image` makes a device's plain image, `finish` what is written of it.

    `count` is how many devices there will be. Enter it before there is any thread.
    """

    def __init__(
        self,
        image: Callable[[Draft], bytes],
        finish: Callable[[bytes], bytes] = bytes,
        count: int = 0,
        processes: int | None = None,
    ) -> None:
        self._image = image
        self._finish = finish
        processes = processes or cores()
        self._processes = processes if processes > 1 and count >= WORTH and is_forkable() else 0
        self._children: list[_Child] = []

    def __enter__(self) -> Writers:
        for _ in range(self._processes):
            self._begin()
        return self

    def __exit__(self, *_: object) -> None:
        for one in self._children:
            with suppress(BrokenPipeError):
                one.tasks.close()  # it reads an end, and ends
            one.answers.close()
        for one in self._children:
            os.waitpid(one.pid, 0)
        self._children.clear()

    def write(self, folder: str, devices: Iterable[Named]) -> Iterator[str]:
        """Write new files into a folder, whole after `sync_all`; yields the SHA-256 of each plain image, in order.

        Raises InputError, also for a process that was killed, CapacityError and OSError.
        """
        if not self._children:
            yield from (self._write(folder, name, draft) for name, draft in devices)
            return
        devices = iter(devices)
        waiting: deque[_Child] = deque()
        for child, some in zip(cycle(self._children), iter(lambda: list(islice(devices, AT_ONCE)), [])):
            child.tell(folder, some)
            waiting.append(child)
            if len(waiting) == AHEAD * len(self._children):
                yield from waiting.popleft().answer()
        while waiting:
            yield from waiting.popleft().answer()

    def _write(self, folder: str, name: str, draft: Draft) -> str:
        plain = self._image(draft)
        write_new(f"{folder}{os.sep}{name}", self._finish(plain))
        return sha256(plain).hexdigest()

    def _begin(self) -> None:
        tasks, tell = _pipe()
        answers, answer = _pipe()
        pid = os.fork()
        if pid:
            tasks.close()
            answer.close()
            self._children.append(_Child(pid, tell, answers))
            return
        code = 1
        try:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that began this one ends it
            for other in (tell, answers, *(pipe for one in self._children for pipe in one[1:])):
                other.close()
            self._serve(tasks, answer)
            code = 0
        finally:
            os._exit(code)

    def _serve(self, tasks: BinaryIO, answer: BinaryIO) -> None:
        while True:
            try:
                folder, some = pickle.load(tasks)
            except EOFError:
                return
            try:
                done: object = [
                    self._write(folder, name, Draft(values, secrets, {}, ()))
                    for name, values, secrets in some
                ]
            except Exception as error:
                done = error
            pickle.dump(done, answer)
            answer.flush()


def _pipe() -> tuple[BinaryIO, BinaryIO]:
    reading, writing = os.pipe()
    return os.fdopen(reading, "rb"), os.fdopen(writing, "wb")


def _killed() -> InputError:
    return InputError(
        "a process that wrote images was killed",
        hint="is there memory enough? The same command goes on from here",
    )
