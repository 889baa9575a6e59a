"""Random tables against gen_esp32part.py itself, where ESP-IDF is installed (IDF_PATH)."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from partition_oracle import TOOL, Oracle, RandomTables

TABLES = 2000


def _idf_version(idf: Path) -> tuple[int, int]:
    text = (idf / "tools/cmake/version.cmake").read_text()
    numbers = re.findall(r"IDF_VERSION_(?:MAJOR|MINOR) (\d+)", text)
    return int(numbers[0]), int(numbers[1])


@pytest.mark.skipif("IDF_PATH" not in os.environ, reason="no ESP-IDF: IDF_PATH is not set")
def test_random_tables_are_made_or_refused_as_by_gen_esp32part() -> None:
    idf = Path(os.environ["IDF_PATH"])
    oracle, tables, version = Oracle(idf / TOOL), RandomTables(seed=1), _idf_version(idf)
    for _ in range(TABLES):
        case = tables.case()
        theirs, ours = oracle.binary(case), case.our_binary(version)
        assert isinstance(ours, bytes) == isinstance(theirs, bytes), (case.text, theirs, ours)
        if isinstance(theirs, bytes):
            assert ours == theirs, case.text
