"""Devices of a CSV looked at, and images made, hashed and written, by all cores.

The processes are forked, before any thread is there, and get values through pipes: no secret is in an argument or a
file. Each ends with the process that began it, however that ends. Where there is no fork, one process does it all.
"""

from __future__ import annotations

import os
import pickle
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from itertools import cycle, islice
from typing import Any, BinaryIO, NamedTuple

from fctry.errors import InputError
from fctry.files import write_new
from fctry.identity.cores import cores, is_forkable
from fctry.identity.csv_devices import Look
from fctry.identity.draft import Draft
from fctry.nvs.item import Value

NO_DRAFT = Draft({}, {}, {}, ())
Named = tuple[str, Draft]
"""The name of a file, and the device that is in it."""
WORTH = 400  # devices: fewer are done before the others have begun
AT_ONCE = 100  # what they are told of them fits into a pipe, and so do the answers
AHEAD = 2  # such parts for each process: it never waits for the next
LOOKS_AHEAD = 32  # likewise; they begin while this process does other things
PIPE_BYTES = 1 << 20  # what Linux lets everybody have: so many looks at devices wait for this process


class _Child(NamedTuple):
    pid: int
    tasks: BinaryIO
    answers: BinaryIO

    def tell(self, task: _Task) -> None:
        try:
            pickle.dump(task, self.tasks)
            self.tasks.flush()
        except BrokenPipeError:
            raise _killed() from None

    def answer(self) -> list[Any]:
        try:
            answer = pickle.load(self.answers)
        except (EOFError, pickle.UnpicklingError):  # killed before or within its answer
            raise _killed() from None
        if isinstance(answer, Exception):
            raise answer
        done: list[Any] = answer
        return done


class _Task(NamedTuple):
    """Files to move to the folder, or numbers of devices to look at, or names, values and secrets of those whose files
    are to be written there.
    """

    folder: str
    moved: Sequence[str] = ()
    numbers: range = range(0)
    devices: Sequence[tuple[str, Mapping[str, Value], Mapping[str, Value]]] = ()


class Writers:
    """Writes files of devices. `image` makes a device's plain image, `finish` what is written of it.

    `count` is how many devices there will be; `look` draws one by its number. Enter it before there is any thread.
    """

    def __init__(
        self,
        image: Callable[[Draft], bytes],
        finish: Callable[[bytes], bytes] = bytes,
        count: int = 0,
        processes: int | None = None,
        look: Callable[[int], Look] | None = None,
    ) -> None:
        self._look_at = look
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
            return (self._write(folder, name, draft) for name, draft in devices)
        devices = iter(devices)
        some = iter(lambda: [(name, one.values, one.secrets) for name, one in islice(devices, AT_ONCE)], [])
        return self._shared((_Task(folder, devices=part) for part in some), AHEAD)

    def look(self, numbers: range, folder: str = "") -> Iterator[Look | InputError]:
        """Begin to draw the devices of these numbers; yields each, or why there is none.

        With a folder their files are written, too, as `write` does. Without, the drafts do not come back.
        """
        parts = (numbers[start : start + AT_ONCE] for start in range(0, len(numbers), AT_ONCE))
        if not self._children:
            return (look for part in parts for look in self._looks(folder, part))
        return self._shared((_Task(folder, numbers=part) for part in parts), LOOKS_AHEAD)

    def move(self, files: Sequence[str], folder: str) -> Iterator[None]:
        """Begin to move files into a folder; ends when they are there."""
        if not self._children:
            return _moved(files, folder)
        parts = (files[start : start + AT_ONCE] for start in range(0, len(files), AT_ONCE))
        return self._shared((_Task(folder, part) for part in parts), LOOKS_AHEAD)

    def _shared(self, tasks: Iterator[_Task], ahead: int) -> Iterator[Any]:
        """Begin these tasks; yields what is done, in order."""
        waiting: deque[_Child] = deque()
        turns = cycle(self._children)

        def tell(count: int) -> None:
            for task, child in zip(islice(tasks, count), turns, strict=False):
                child.tell(task)
                waiting.append(child)

        def answers() -> Iterator[Any]:
            while waiting:
                done = waiting.popleft().answer()
                tell(1)
                yield from done

        tell(ahead * len(self._children))
        return answers()

    def _looks(self, folder: str, numbers: range) -> list[Look | InputError]:
        return [self._look(folder, number) for number in numbers]

    def _look(self, folder: str, number: int) -> Look | InputError:
        assert self._look_at
        try:
            look = self._look_at(number)
        except InputError as error:
            return error
        draft, name, values, twin, image, _ = look
        if not folder:
            return Look(NO_DRAFT, name, values, twin)
        return Look(draft, name, values, twin, b"", self._write_image(folder, name, image))

    def _write(self, folder: str, name: str, draft: Draft) -> str:
        return self._write_image(folder, name, self._image(draft))

    def _write_image(self, folder: str, name: str, plain: bytes) -> str:
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
                task: _Task = pickle.load(tasks)
            except EOFError:
                return
            try:
                done: object = [
                    *_moved(task.moved, task.folder),
                    *self._looks(task.folder, task.numbers),
                    *(
                        self._write(task.folder, name, Draft(values, secrets, {}, ()))
                        for name, values, secrets in task.devices
                    ),
                ]
            except Exception as error:
                done = error
            pickle.dump(done, answer)
            answer.flush()


def _moved(files: Iterable[str], folder: str) -> Iterator[None]:
    """Move files into a folder, and yield nothing."""
    for file in files:
        os.replace(file, f"{folder}{os.sep}{file.rpartition(os.sep)[2]}")  # noqa: PTH105 a Path costs as much as an image
    yield from ()


def _pipe() -> tuple[BinaryIO, BinaryIO]:
    reading, writing = os.pipe()
    import fcntl  # where there is a fork

    with suppress(OSError):  # it may have too many such already
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    return os.fdopen(reading, "rb"), os.fdopen(writing, "wb")


def _killed() -> InputError:
    return InputError(
        "a process that wrote images was killed",
        hint="is there memory enough? The same command goes on from here",
    )
