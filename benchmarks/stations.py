"""A station that provisions the boards at these ports, one after the other, and says how long each took.

    python -m benchmarks.stations FOLDER PORT…

The folder has a ledger. It says `ready` and begins with the first line of its input.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from fctry.identity.ledger import Station, create_ledger
from fctry.project import Settings
from fctry.provision.job import Job

ROOT = Path(__file__).parents[1]


def job_in(folder: Path) -> Job:
    """What is done to a device, with a ledger in this folder."""
    place, station = str(folder / "ledger" / "ledger.db"), Station("bench", folder=folder / "state")
    if not (folder / "ledger").exists():
        (folder / "ledger").mkdir(parents=True)
        create_ledger(place, station)[0].close()
    return Job(
        ROOT / "examples" / "factory.toml",
        Settings(ROOT / "partitions.csv", chip="esp32"),
        place,
        station,
        timeout_s=60,
    )


def main() -> None:
    folder, urls = Path(sys.argv[1]), sys.argv[2:]
    with job_in(folder).opened() as job:
        print("ready", flush=True)
        sys.stdin.readline()
        for url in urls:
            began_s = time.perf_counter()
            _, record = job.take(url)
            assert not record.failed, record.failed
            print(time.perf_counter() - began_s)


if __name__ == "__main__":
    main()
