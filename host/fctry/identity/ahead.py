"""What takes long to make for devices, by all cores and ahead of its turn: keys, verifiers.

Processes of this module's own do it, which get the spec, and give secrets back, through pipes: none is in an argument
or a file. They end with the process that began them, however that ends.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import chain, islice
from typing import Any

from fctry.identity.draft import Preparer

Prepared = Mapping[str, Any]
WORTH_S = 0.5  # a pool takes as long to begin
ONE_S = 0.0005  # less than this for a device is not worth the way through a pipe
TASK_S = 0.05
TASKS_AHEAD = 20  # for each process: a second, where a device takes less than a task

_preparer: Preparer  # of a process of the pool


def prepared(
    preparer: Preparer, numbers: Iterable[int], cores: int | None = None
) -> Iterator[tuple[int, Prepared]]:
    """Each number with what was prepared for the device that has it, in order; no more than a little ahead of time.

    `cores` is how many processes there may be (default: as many as this one may use).
    """
    cores = cores or _cores()
    numbers = iter(numbers)
    spent_s, done = 0.0, 0
    for number in numbers:
        began_s = time.perf_counter()
        one = preparer.prepare()
        spent_s += time.perf_counter() - began_s
        done += 1
        yield number, one
        if cores > 1 and spent_s > WORTH_S and spent_s / done > ONE_S:
            break
    else:
        return
    yield from _by_pool(preparer, numbers, cores, max(1, round(TASK_S * done / spent_s)))


def _by_pool(
    preparer: Preparer, numbers: Iterator[int], cores: int, at_once: int
) -> Iterator[tuple[int, Prepared]]:
    context = multiprocessing.get_context(
        "spawn"
    )  # the progress bar is a thread: a fork would copy its locks
    pool = ProcessPoolExecutor(cores, context, _begin, (preparer,))
    tasks: deque[tuple[list[int], Future[list[Prepared]]]] = deque()
    try:
        while True:
            while len(tasks) < TASKS_AHEAD * cores and (some := list(islice(numbers, at_once))):
                tasks.append((some, pool.submit(_prepare, len(some))))
            if not tasks:
                return
            yield from zip(tasks[0][0], tasks[0][1].result(), strict=True)
            tasks.popleft()
    except BrokenProcessPool:  # one of them was killed: this one is alive, and does it alone
        left = chain.from_iterable(some for some, _ in tasks)
        yield from ((number, preparer.prepare()) for number in chain(left, numbers))
    finally:
        pool.shutdown(cancel_futures=True)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _begin(preparer: Preparer) -> None:
    global _preparer
    _preparer = preparer
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that began this one ends it
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)


def _prepare(count: int) -> list[Prepared]:
    return [_preparer.prepare() for _ in range(count)]
