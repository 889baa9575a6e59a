"""Stations that work with a ledger, each a process: run as a script, so that forking is safe.

stations.py kill URL STATE OUT              one after the other, each killed one point later than the one before
stations.py contend URL STATE OUT N COUNT DURABLE   N at once, COUNT devices each

What was handed out goes into the folder OUT, a file a station, a line a device, each line before the next device.
"""

from __future__ import annotations

import gc
import os
import signal
import sqlite3
import sys
import time
import traceback
from collections.abc import Callable
from itertools import count
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from sqlalchemy import Engine, event

from fctry.identity.ledger import Ledger, Station, open_ledger
from tests.unit.identity.conftest import LAMP, NOW, Lamps


def kill_at(point: int, state: Path) -> None:
    """Let this process be killed at its n-th statement, commit or change of a file in the state folder."""
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


def hurry() -> None:
    """Let nothing wait for the disk: a process that is killed leaves all that it wrote, and no power fails here."""
    os.fsync = lambda handle: None
    event.listen(Engine, "connect", _hurry)


def _hurry(connection: object, _: object) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous=OFF")


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


def kill(url: str, state: Path, out: Path) -> None:
    """Kill a station at every point of its work."""
    hurry()
    station = Station("bench", "eve", state)
    open_ledger(url, station).close()  # what that imports, no child imports again
    gc.freeze()  # nor looks through, which would copy it

    def work(point: int) -> None:
        kill_at(point, state)
        with open_ledger(url, station) as ledger:
            last = reserve(ledger, out / str(point), 3)
            ledger.renew(last, Lamps(), NOW)
            ledger.record({last: "ab" * 32}, "built")

    for point in count(1):
        pid = in_child(lambda point=point: work(point))  # type: ignore[misc]
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if status == 0:
            break
        if status != -signal.SIGKILL:
            sys.exit(f"point {point}: exit code {status}")
        with open_ledger(url, station) as ledger:
            ledger.verify()
    print(point - 1)


def contend(url: str, state: Path, out: Path, stations: int, devices: int, durable: int) -> None:
    """Let stations reserve together; says how long it took.

    Without `durable` nothing waits for the disk, which makes the stations meet more often and changes nothing else.
    """
    if not durable:
        hurry()

    def work(number: int) -> None:
        with open_ledger(url, Station(f"bench {number}", "eve", state)) as ledger:
            reserve(ledger, out / str(number), devices)

    open_ledger(url, Station("bench", "eve", state)).close()  # the database's driver is imported once
    gc.freeze()
    began_s = time.perf_counter()
    children = [in_child(lambda number=number: work(number)) for number in range(stations)]  # type: ignore[misc]
    failed = [pid for pid in children if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])]
    if failed:
        sys.exit(f"{len(failed)} stations failed")
    print(f"{time.perf_counter() - began_s:.3f} s")


if __name__ == "__main__":
    what, url, state, out, *numbers = sys.argv[1:]
    {"kill": kill, "contend": contend}[what](url, Path(state), Path(out), *map(int, numbers))
