"""What takes long to make for devices, by all cores: keys and verifiers ahead of their turn, certificates in it.

Processes of this module's own do it, which get the spec, and give secrets back, through pipes: none is in an argument
or a file. They end with the process that began them, however that ends.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from fctry.identity.cores import cores
from fctry.identity.draft import Context, CounterRange, Draft, Preparer
from fctry.nvs.item import Value

if TYPE_CHECKING:
    from concurrent.futures import Future, ProcessPoolExecutor

Prepared = Mapping[str, Any]
WORTH_S = 0.5  # a pool takes as long to begin
ONE_S = 0.0002  # less than this for a device is not worth the way through a pipe
TASK_S = 0.05
TASKS_AHEAD = 6  # for each process: what it does while others have their turn; who draws waits for it

_preparer: Preparer  # of a process of the pool


class _Pace:
    """How long something takes for a device, from what it took so far."""

    def __init__(self) -> None:
        self.spent_s, self.done = 0.0, 0

    def add(self, began_s: float, done: int = 1) -> None:
        self.spent_s += time.perf_counter() - began_s
        self.done += done

    @property
    def is_slow(self) -> bool:
        return self.spent_s > WORTH_S and self.spent_s / self.done > ONE_S


class Ahead:
    """A drawer that has what takes long done by several processes, once it is seen to take long. Enter it as a context.

    `processes` is how many there may be (default: as many as there are cores for this one).
    """

    def __init__(self, preparer: Preparer, processes: int | None = None) -> None:
        self._preparer = preparer
        self._processes = processes or cores()
        self._pool: ProcessPoolExecutor | None = None
        self._preparing, self._drawing = _Pace(), _Pace()

    def __enter__(self) -> Ahead:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    @property
    def counters(self) -> Mapping[str, CounterRange]:
        return self._preparer.counters

    def prepare(self) -> Prepared:
        return self._preparer.prepare()

    def draw(
        self, counters: Mapping[str, int], context: Context, kept: Mapping[str, Value] = MappingProxyType({})
    ) -> Draft:
        return self._preparer.draw(counters, context, kept)

    def draw_each(self, counters: Sequence[Mapping[str, int]], contexts: Sequence[Context]) -> list[Draft]:
        """A device for each of these, in order."""
        if self._processes > 1 and self._drawing.is_slow:
            from concurrent.futures.process import BrokenProcessPool

            pool, count = self._begun(), -(-len(counters) // self._processes)
            parts = [slice(start, start + count) for start in range(0, len(counters), count)]
            try:
                tasks = [pool.submit(_draw, counters[part], contexts[part]) for part in parts]
                return [draft for task in tasks for draft in task.result()]
            except BrokenProcessPool:
                self._alone()
        began_s = time.perf_counter()
        drafts = self._preparer.draw_each(counters, contexts)
        self._drawing.add(began_s, len(drafts))
        return drafts

    def prepared(self, numbers: Iterable[int]) -> Iterator[tuple[int, Prepared]]:
        """Each number with what was prepared for the device that has it, in order; only a little ahead of time.

        Nothing was prepared that does not take long beside what the device's drawing takes.
        """
        numbers = iter(numbers)
        for number in numbers:
            if self._processes > 1 and self._drawing.is_slow:  # who draws has the time to prepare, too
                yield number, {}
                continue
            began_s = time.perf_counter()
            one = self._preparer.prepare()
            self._preparing.add(began_s)
            yield number, one
            if self._processes > 1 and self._preparing.is_slow:
                break
        else:
            return
        yield from self._prepared_by_pool(numbers)

    def _prepared_by_pool(self, numbers: Iterator[int]) -> Iterator[tuple[int, Prepared]]:
        from concurrent.futures.process import BrokenProcessPool

        at_once = max(1, round(TASK_S * self._preparing.done / self._preparing.spent_s))
        tasks: deque[tuple[list[int], Future[list[Prepared]]]] = deque()
        try:
            while True:
                while len(tasks) < TASKS_AHEAD * self._processes and (some := list(islice(numbers, at_once))):
                    tasks.append((some, self._begun().submit(_prepare, len(some))))
                if not tasks:
                    return
                yield from zip(tasks[0][0], tasks[0][1].result(), strict=True)
                tasks.popleft()
        except BrokenProcessPool:
            self._alone()
            left = chain.from_iterable(some for some, _ in tasks)
            yield from ((number, self._preparer.prepare()) for number in chain(left, numbers))
        finally:
            for _, task in tasks:
                task.cancel()

    def _begun(self) -> ProcessPoolExecutor:
        if not self._pool:
            import multiprocessing
            from concurrent.futures import ProcessPoolExecutor

            # the progress bar is a thread: a fork would copy its locks
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self._processes, context, _begin, (self._preparer,))
        return self._pool

    def _alone(self) -> None:
        """One of the processes was killed: this one is alive, and does it alone."""
        self._end()
        self._processes = 1

    def _end(self) -> None:
        if self._pool:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None


def _begin(preparer: Preparer) -> None:
    global _preparer
    _preparer = preparer
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that began this one ends it
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    import multiprocessing

    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)


def _prepare(count: int) -> list[Prepared]:
    return [_preparer.prepare() for _ in range(count)]


def _draw(counters: Sequence[Mapping[str, int]], contexts: Sequence[Context]) -> list[Draft]:
    return _preparer.draw_each(counters, contexts)
