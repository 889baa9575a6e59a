"""Our binaries against those that gen_esp32part.py made: tests/data/partitions/golden, see RECORDED.json there."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from partition_oracle import Case
from record_partition_golden import options_of

from fctry.cli.main import main
from fctry.partitions.keywords import read_number

DATA = Path(__file__).parents[1] / "data" / "partitions"
GOLDEN = DATA / "golden"
RECORDED = json.loads((GOLDEN / "RECORDED.json").read_text())
RULES: dict[str, str | None] = json.loads((GOLDEN / "rules.json").read_text())
IDF = (5, 5)
OURS_FOR_THEIRS = {
    "--offset": "--table-offset",
    "--secure": "--secure-boot",
    "--extra-partition-subtypes": "--extra-subtype",
    "--flash-size": "--flash-size",
    "--recovery-bootloader-offset": "--recovery-bootloader-offset",
}
CHIPS = {"0x1000": "esp32", "0x0": "esp32c3", "0x2000": "esp32p4"}


def _our_options(theirs: list[str]) -> list[str]:
    ours: list[str] = []
    option = ""
    for text in theirs:
        if text == "--disable-md5sum":
            ours.append("--no-md5")
        elif text.startswith("--"):
            option = text  # and a bare -- ends their list of extra subtypes
        elif option == "--primary-bootloader-offset":
            ours += ["--chip", CHIPS[text]]
        else:
            ours += [OURS_FOR_THEIRS[option], text]
    return ours


def _digest(binary: bytes | str) -> str | None:
    return hashlib.sha256(binary).hexdigest() if isinstance(binary, bytes) else None


@pytest.mark.parametrize("record", RECORDED["tables"], ids=lambda record: record["table"])
def test_build_makes_the_recorded_binary_or_refuses_as_recorded(
    record: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = GOLDEN / record["table"]
    binary = tmp_path / "table.bin"
    exit_code = main(["layout", "build", str(table), "-o", str(binary), *_our_options(options_of(table))])
    error = capsys.readouterr().err
    if record["csv"] is not None:
        assert exit_code == 0, error
        assert binary.read_bytes() == table.with_suffix(".bin").read_bytes()
    else:
        assert exit_code == 1
        assert error.startswith(f"error: {table}")
        assert "hint: " in error
        assert not binary.exists()


def _fields(line: str) -> list[str | int]:
    """The fields of a CSV line; the size as a number, which we write in K, M or decimal and they in K, M or hex."""
    name, type_, subtype, offset, size, flags = line.split(",")
    return [name, type_, subtype, offset, read_number(size), flags]


@pytest.mark.parametrize("record", RECORDED["tables"], ids=lambda record: record["table"])
def test_read_shows_the_recorded_csv(
    record: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if record["csv"] is None:
        assert not (GOLDEN / record["table"]).with_suffix(".bin").exists()
        return
    binary = (GOLDEN / record["table"]).with_suffix(".bin")
    if not record["csv"]:
        assert main(["layout", "read", str(binary)]) == 1  # a table without entries: no boot loader takes it
        return
    assert main(["layout", "read", str(binary)]) == 0
    lines = capsys.readouterr().out.splitlines()[2:]
    assert [_fields(line) for line in lines] == [_fields(line) for line in record["csv"]]


@pytest.mark.parametrize(("table", "recorded"), RULES.items(), ids=RULES)
def test_table_of_a_rule_is_made_or_refused_as_recorded(table: str, recorded: str | None) -> None:
    assert _digest(Case((DATA / "rules" / table).read_text()).our_binary(IDF)) == recorded


def test_random_tables_are_made_or_refused_as_recorded() -> None:
    lines = [json.loads(line) for line in (GOLDEN / "random.jsonl").read_text().splitlines()]
    differing = [
        line for line in lines if _digest(Case.from_dict(line["case"]).our_binary(IDF)) != line["sha256"]
    ]
    assert differing == []
    accepted = sum(line["sha256"] is not None for line in lines)
    assert len(lines) // 4 < accepted < len(lines) * 3 // 4
