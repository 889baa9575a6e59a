"""Devices of a CSV drawn, and images made, hashed and written, by all cores.

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
from fctry.identity.csv_devices import Drawn, Look
from fctry.identity.draft import Draft
from fctry.nvs.item import Value

Named = tuple[str, Draft]
"""The name of a file, and the device that is in it."""
Image = Sequence[bytes]
"""An image in parts, of which the large ones are there once for many devices."""
WORTH = 400  # devices: fewer are done before the others have begun
AT_ONCE = 100  # what they are told of them fits into a pipe, and so do the answers
AHEAD = 2  # such parts for each process: it never waits for the next
PIPE_BYTES = 1 << 20  # what Linux lets everybody have, unless there are too many such:
FAR_AHEAD = 32  # such parts of devices that are told by their numbers or names fit into it


class Made(NamedTuple):
    """A device whose file is written; `sha256` is that of its plain image."""

    draft: Draft
    name: str
    sha256: str


class _Child:
    def __init__(self, pid: int, tasks: BinaryIO, answers: BinaryIO) -> None:
        self.pid = pid
        self.tasks = tasks
        self.answers = answers
        self._owed: deque[_Answer] = deque()

    def tell(self, what: str, task: tuple[Any, ...]) -> _Answer:
        """Begin a task of `Writers`."""
        try:
            pickle.dump((what, task), self.tasks)
            self.tasks.flush()
        except BrokenPipeError:
            raise _killed() from None
        answer = _Answer(self)
        self._owed.append(answer)
        return answer

    def load(self) -> None:
        """Take in the next answer, in the order of the tasks."""
        try:
            self._owed.popleft().content = pickle.load(self.answers)
        except (EOFError, pickle.UnpicklingError):  # killed before or within its answer
            raise _killed() from None


class _Answer:
    def __init__(self, child: _Child) -> None:
        self._child = child
        self.content: list[Any] | Exception | None = None

    def get(self) -> list[Any]:
        while self.content is None:
            self._child.load()
        if isinstance(self.content, Exception):
            raise self.content
        return self.content


class Writers:
    """Writes files of devices. `image` makes a device's plain image, `finish` what is written of it, if it is another.

    `count` is how many devices there will be; `draw` draws one by its number. Enter it before there is any thread.
    """

    def __init__(
        self,
        image: Callable[[Draft], Image],
        finish: Callable[[bytes], bytes] | None = None,
        count: int = 0,
        processes: int | None = None,
        draw: Callable[[int], Drawn] | None = None,
    ) -> None:
        self._image = image
        self._finish = finish
        self._draw = draw
        self._kept: dict[int, Drawn] = {}
        processes = processes or cores()
        self._processes = processes if processes > 1 and count >= WORTH and is_forkable() else 0
        self._children: list[_Child] = []
        self._far_ahead = FAR_AHEAD

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
            return (self._write(folder, name, self._image(draft)) for name, draft in devices)
        devices = iter(devices)
        some = iter(lambda: [(name, one.values, one.secrets) for name, one in islice(devices, AT_ONCE)], [])
        return self._shared("_written", ((folder, part) for part in some), AHEAD)

    def look(self, numbers: range, *, keep: bool) -> Iterator[Look | InputError]:
        """Begin to draw the devices of these numbers; yields a look at each, or why there is none.

        `keep` them for `make`, which would draw them once more.
        """
        return self._shared("_looks", ((part, keep) for part in _parts(numbers)), self._far_ahead)

    def make(self, folder: str, numbers: Sequence[int]) -> Iterator[Made]:
        """Begin to draw the devices of these numbers and to write their files, as `write` does; yields each."""
        return self._shared("_made", ((folder, part) for part in _parts(numbers)), self._far_ahead)

    def move(self, names: Sequence[str], source: str, folder: str) -> Iterator[None]:
        """Begin to move files of these names from one folder to another; ends when they are there."""
        return self._shared("_moved", ((part, source, folder) for part in _parts(names)), self._far_ahead)

    def _shared(self, what: str, tasks: Iterator[tuple[Any, ...]], ahead: int) -> Iterator[Any]:
        """Begin these tasks; yields what is done, in order."""
        if not self._children:
            return (one for task in tasks for one in getattr(self, what)(*task))
        waiting: deque[_Answer] = deque()
        turns = cycle(self._children)

        def tell(count: int) -> None:
            waiting.extend(
                child.tell(what, task) for task, child in zip(islice(tasks, count), turns, strict=False)
            )

        def answers() -> Iterator[Any]:
            while waiting:
                done = waiting.popleft().get()
                tell(1)
                yield from done

        tell(ahead * len(self._children))
        return answers()

    # -- what a process is told to do, and answers

    def _looks(self, numbers: Iterable[int], keep: bool) -> Iterator[Look | InputError]:
        assert self._draw
        for number in numbers:
            try:
                drawn = self._draw(number)
            except InputError as error:
                yield error
                continue
            if keep:
                self._kept[number] = drawn
            yield drawn.look

    def _made(self, folder: str, numbers: Iterable[int]) -> Iterator[Made]:
        assert self._draw
        for number in numbers:
            draft, look, image = self._kept.pop(number) if number in self._kept else self._draw(number)
            yield Made(draft, look.name, self._write(folder, look.name, image))

    def _moved(self, names: Sequence[str], source: str, folder: str) -> Iterator[None]:
        for name in names:
            os.replace(f"{source}{os.sep}{name}", f"{folder}{os.sep}{name}")  # noqa: PTH105 a Path costs as much as an image
        yield from ()

    def _written(
        self, folder: str, devices: Iterable[tuple[str, Mapping[str, Value], Mapping[str, Value]]]
    ) -> Iterator[str]:
        for name, values, secrets in devices:
            yield self._write(folder, name, self._image(Draft(values, secrets, {}, ())))

    def _write(self, folder: str, name: str, plain: Image) -> str:
        write_new(f"{folder}{os.sep}{name}", *([self._finish(b"".join(plain))] if self._finish else plain))
        digest = sha256()
        for part in plain:
            digest.update(part)
        return digest.hexdigest()

    def _begin(self) -> None:
        tasks, tell = self._pipe()
        answers, answer = self._pipe()
        pid = os.fork()
        if pid:
            tasks.close()
            answer.close()
            self._children.append(_Child(pid, tell, answers))
            return
        code = 1
        try:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that began this one ends it
            for other in (
                tell,
                answers,
                *(pipe for one in self._children for pipe in (one.tasks, one.answers)),
            ):
                other.close()
            self._children.clear()
            self._serve(tasks, answer)
            code = 0
        finally:
            os._exit(code)

    def _serve(self, tasks: BinaryIO, answer: BinaryIO) -> None:
        while True:
            try:
                what, task = pickle.load(tasks)
            except EOFError:
                return
            try:
                done: object = list(getattr(self, what)(*task))
            except Exception as error:
                done = error
            pickle.dump(done, answer)
            answer.flush()

    def _pipe(self) -> tuple[BinaryIO, BinaryIO]:
        reading, writing = os.pipe()
        import fcntl  # where there is a fork

        try:
            fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        except OSError:
            self._far_ahead = AHEAD  # who tells more than fits would wait for one that waits to answer
        return os.fdopen(reading, "rb"), os.fdopen(writing, "wb")


def _parts(ones: Sequence[Any]) -> Iterator[Any]:
    return (ones[start : start + AT_ONCE] for start in range(0, len(ones), AT_ONCE))


def _killed() -> InputError:
    return InputError(
        "a process that wrote images was killed",
        hint="is there memory enough? The same command goes on from here",
    )
