"""Stations that work with a ledger, each a process: run as a script, so that forking is safe.

stations.py kill URL STATE OUT              one after the other, each killed one point later than the one before
stations.py contend URL STATE OUT N COUNT DURABLE   N at once, COUNT devices each

What was handed out goes into the folder OUT, a file a station, a line a device, each line before the next device.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from functools import cache
from itertools import count
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

import pytest

from fctry.identity.ledger import Ledger, Station, open_ledger, opening
from tests.disk import hurry
from tests.unit.identity.conftest import LAMP, NOW, Lamps

VERIFIED_EVERY = 10  # kills: what one leaves wrong stays wrong, as lines and rows are only added


def kill_at(point: int, state: Path) -> None:
    """Let this process be killed at its n-th statement, commit or change of a file in the state folder."""
    from sqlalchemy import Engine, event  # not before the ledger, which loads less of it

    points = count(1)

    def reached(*_: object) -> None:
        if next(points) == point:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "before_cursor_execute", reached)
    event.listen(Engine, "commit", reached)
    watched = ("open", "os.rename", "os.remove")
    sys.addaudithook(
        lambda name, args: reached() if name in watched and str(args[0]).startswith(str(state)) else None
    )


def reserve(ledger: Ledger, out: Path, devices: int) -> int:
    """Reserve devices; each is written down before the next is asked for. Returns the last id."""
    last = 0
    handle = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for one in ledger.reserve(LAMP, Lamps(codes=10**5), [NOW] * devices):
        line = [one.id, *one.draft.values.values(), *one.draft.secrets.values()]
        os.write(handle, " ".join(map(str, line)).encode() + b"\n")
        last = one.id
    os.close(handle)
    return last


def warm_up(url: str, station: Station, work: Callable[[Ledger], object]) -> None:
    """Do once what each child does, which then imports and compiles nothing: it has the engine, whose pool is empty."""
    opening.open_engine = cache(opening.open_engine)
    with open_ledger(url, station) as ledger:
        work(ledger)
    gc.freeze()  # what is there, no child looks through, which would copy it


def in_child(work: Callable[[], None]) -> int:
    """A process that does this."""
    pid = os.fork()
    if pid:
        return pid
    try:
        work()
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def kill(url: str, state: Path, out: Path) -> str:
    """Kill a station at every point of its work; says how many there are."""
    hurry(pytest.MonkeyPatch())
    station = Station("bench", "eve", state)

    def work(ledger: Ledger, point: int = 0) -> None:
        last = reserve(ledger, out / str(point), 3)
        ledger.renew(last, Lamps(), NOW)
        ledger.record({last: "ab" * 32}, "built")

    def killed(point: int) -> None:
        kill_at(point, state)
        with open_ledger(url, station) as ledger:
            work(ledger, point)

    warm_up(url, station, work)
    for point in count(1):
        pid = in_child(lambda point=point: killed(point))  # type: ignore[misc]
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if status == 0:
            break
        if status != -signal.SIGKILL:
            sys.exit(f"point {point}: exit code {status}")
        if point % VERIFIED_EVERY == 0:
            with open_ledger(url, station) as ledger:
                ledger.verify()
    return str(point - 1)


def contend(url: str, state: Path, out: Path, stations: int, devices: int, durable: int) -> str:
    """Let stations reserve together; says how long it took.

    Without `durable` nothing waits for the disk, which makes the stations meet more often, and one has reserved as many
    before, which spares them that they compile statements: it changes nothing else.
    """
    first = Station("bench", "eve", state)

    def work(number: int) -> None:
        with open_ledger(url, Station(f"bench {number}", "eve", state)) as ledger:
            reserve(ledger, out / str(number), devices)

    if durable:
        open_ledger(url, first).close()  # the database's driver is imported once
        gc.freeze()
    else:
        hurry(pytest.MonkeyPatch())
        warm_up(url, first, lambda ledger: reserve(ledger, out / "first", devices))
    began_s = time.perf_counter()
    children = [in_child(lambda number=number: work(number)) for number in range(stations)]  # type: ignore[misc]
    failed = [pid for pid in children if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])]
    if failed:
        sys.exit(f"{len(failed)} stations failed")
    return f"{time.perf_counter() - began_s:.3f} s"


def do(what: str, url: str, state: str, out: str, *numbers: str) -> None:
    said = {"kill": kill, "contend": contend}[what](url, Path(state), Path(out), *map(int, numbers))
    print(said)


if __name__ == "__main__":
    do(*sys.argv[1:])
