"""Checking a partition table against the time that Python takes to start and do nothing.

The table is this repository's, read from its file and held against all rules and its sdkconfig.defaults each time.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from pytest_benchmark.fixture import BenchmarkFixture

from fctry.findings import Finding
from fctry.partitions.checker import check
from fctry.partitions.layout import read_layout
from fctry.partitions.options import Options
from fctry.partitions.rule import Evidence
from fctry.partitions.sdkconfig import find_sdkconfig

TABLE = Path(__file__).parents[1] / "partitions.csv"
STARTS = 15


def _check() -> list[Finding]:
    config = find_sdkconfig(TABLE)
    options = config.options(Options()) if config else Options()
    return check(read_layout(TABLE, options), Evidence(sdkconfig=config))


def _python_start_s() -> float:
    """The fastest of several starts of an interpreter that does nothing."""
    times = []
    for _ in range(STARTS):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", "pass"], check=True)
        times.append(time.perf_counter() - began)
    return min(times)


def test_check_of_a_table(benchmark: BenchmarkFixture) -> None:
    assert benchmark(_check) == []
    start_s = _python_start_s()
    check_s = benchmark.stats.stats.median
    benchmark.extra_info["python_start_s"] = start_s
    print(
        f"\npython -c pass {start_s * 1e3:.1f} ms, check {check_s * 1e3:.2f} ms: {start_s / check_s:.0f} times faster"
    )
