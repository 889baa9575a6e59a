"""Record what ESP-IDF's gen_esp32part.py makes of our own tables, for tests without ESP-IDF.

    python tests/conformance/record_partition_golden.py IDF_PATH VERSION

writes tests/data/partitions/golden: for each NAME.csv there (its first comment has the options) NAME.bin, by running
the tool as a command; rules.json with the SHA-256 of what it makes of each table in ../rules; random.jsonl with random
tables and the SHA-256 of their binaries; and RECORDED.json with tool, version, commands, and the CSV that the tool
makes of each binary. What it refuses is recorded as such, without a binary.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

from partition_oracle import TOOL, Case, Oracle, RandomTables

from fctry.partitions.binary import MAGIC

DATA = Path(__file__).parents[1] / "data" / "partitions"
GOLDEN = DATA / "golden"
SEED, RANDOM_TABLES = 5, 200
OPTIONS = "# options: "


def options_of(table: Path) -> list[str]:
    """The options of gen_esp32part.py that a table has in its first comment."""
    text = table.read_bytes().replace(b"\x00", b"").decode(errors="ignore")
    line = next((line for line in text.splitlines() if OPTIONS in line), "")
    return json.loads(line.partition(OPTIONS)[2]) if line else []


def _record_commands(tool: Path) -> list[dict[str, object]]:
    records = []
    for table in sorted(GOLDEN.glob("*.csv")):
        binary = table.with_suffix(".bin")
        binary.unlink(missing_ok=True)
        command = ["-q", *options_of(table), table.name, binary.name]
        done = subprocess.run(
            [sys.executable, str(tool), *command], cwd=GOLDEN, capture_output=True, check=False
        )
        assert binary.exists() == (done.returncode == 0), table
        record = {"table": table.name, "command": ["python", f"$IDF_PATH/{TOOL}", *command]}
        records.append({**record, "csv": _as_csv(tool, binary) if binary.exists() else None})
    return records


def _as_csv(tool: Path, binary: Path) -> list[str]:
    if not binary.read_bytes().startswith(MAGIC):
        return []  # a table without entries, which the tool takes for a CSV
    md5 = [] if b"\xeb\xeb" in binary.read_bytes() else ["--disable-md5sum"]
    command = [sys.executable, str(tool), "-q", "--no-verify", *md5, str(binary)]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    return [line for line in done.stdout.splitlines() if not line.startswith("#")]


def _digest(binary: bytes | str) -> str | None:
    return hashlib.sha256(binary).hexdigest() if isinstance(binary, bytes) else None


def main(idf_path: Path, version: str) -> None:
    tool = idf_path / TOOL
    oracle = Oracle(tool)
    GOLDEN.mkdir(exist_ok=True)
    recorded = {
        "tool": "gen_esp32part.py",
        "version": oracle.version,
        "idf": version,
        "tables": _record_commands(tool),
    }
    (GOLDEN / "RECORDED.json").write_text(json.dumps(recorded, indent=2) + "\n")
    rules = {
        f"{table.parent.name}/{table.name}": _digest(oracle.binary(Case(table.read_text())))
        for table in sorted(DATA.glob("rules/*/*.csv"))
        if table.parent.name != "layout-encoding"
    }
    (GOLDEN / "rules.json").write_text(json.dumps(rules, indent=1) + "\n")
    tables = RandomTables(SEED)
    cases = [tables.case() for _ in range(RANDOM_TABLES)]
    lines = [
        json.dumps({"sha256": _digest(oracle.binary(case)), "case": json.loads(case.to_json())})
        for case in cases
    ]
    (GOLDEN / "random.jsonl").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
