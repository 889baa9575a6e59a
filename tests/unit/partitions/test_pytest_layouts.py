"""Partition CSVs as pytest files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pytest_server import RunPytest, start

TABLE = "nvs,data,nvs,0x9000,0x6000\nfctry,data,nvs,0x10000,0x6000,readonly\napp,app,factory,0x20000,1M\n"
Run = Callable[..., tuple[int, str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "partitions.csv").write_text(TABLE)
    (tmp_path / "partitions_wrong.csv").write_text(TABLE.replace("0x9000", "0x9100").replace(",readonly", ""))
    (tmp_path / "devices.csv").write_text("key,type,encoding,value\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    return tmp_path


@pytest.fixture
def run(run_pytest: RunPytest) -> Run:
    """Runs pytest in a folder: its exit code, and what it prints."""

    def run(folder: Path, *arguments: str, with_all_plugins: bool = False) -> tuple[int, str]:
        plugins = ("-p", "fctry.pytest_plugin.layouts", "-p", "no:cacheprovider")
        done = (start if with_all_plugins else run_pytest)(*plugins, "-rA", *arguments, cwd=folder)
        return done.returncode, done.stdout

    return run


def test_named_table_that_is_fine_passes_one_test_for_each_rule(folder: Path, run: Run) -> None:
    exit_code, printed = run(folder, "partitions.csv", with_all_plugins=True)
    assert exit_code == 0, printed
    assert "PASSED partitions.csv::layout-overlap" in printed
    assert "layout-sdkconfig" not in printed
    assert "partitions_wrong.csv" not in printed


def test_finding_is_the_failure_text_without_a_traceback(folder: Path, run: Run) -> None:
    exit_code, printed = run(folder, "partitions_wrong.csv")
    assert exit_code == 1
    assert (
        "partitions_wrong.csv:1: the offset 0x9100 of `nvs` is not a multiple of 0x1000\n"
        "    remedy: use 0xa000 or 0x9000, or leave it empty\n"
        "layout-offset-alignment: applications start at 64 KB, all others at 4 KB "
        "(fctry docs layout-offset-alignment)\n"
    ) in printed
    assert "Traceback" not in printed
    assert "layouts.py" not in printed
    assert "1 failed" in printed


def test_warning_fails_only_where_warnings_are_errors(folder: Path, run: Run) -> None:
    _, printed = run(folder, "partitions_wrong.csv")
    assert "partitions_wrong.csv:2: LayoutWarning: " in printed
    assert "PASSED partitions_wrong.csv::layout-factory-readonly" in printed
    _, printed = run(folder, "partitions_wrong.csv", "-W", "error")
    assert "FAILED partitions_wrong.csv::layout-factory-readonly" in printed


def test_tables_of_the_tree_are_collected_only_when_asked_for(folder: Path, run: Run) -> None:
    exit_code, printed = run(folder)
    assert exit_code == 5, printed  # nothing collected
    exit_code, printed = run(folder, "--fctry-layouts")
    assert exit_code == 1
    assert "PASSED partitions.csv::layout-overlap" in printed
    assert "PASSED partitions_wrong.csv::layout-overlap" in printed
    assert "devices.csv" not in printed


def test_configuration_beside_a_table_is_held_against_it(folder: Path, run: Run) -> None:
    (folder / "sdkconfig.defaults").write_text("# CONFIG_PARTITION_TABLE_CUSTOM is not set\n")
    exit_code, printed = run(folder, "partitions.csv")
    assert exit_code == 1
    assert "sdkconfig.defaults:1: CONFIG_PARTITION_TABLE_CUSTOM is not set" in printed


def test_configuration_that_cannot_be_read_is_named(folder: Path, run: Run) -> None:
    (folder / "sdkconfig").write_bytes(b"\xff\n")
    exit_code, printed = run(folder, "partitions.csv")
    assert exit_code != 0
    assert "sdkconfig: not UTF-8" in printed


def test_table_of_this_repository_is_without_findings(run: Run) -> None:
    exit_code, printed = run(
        Path(__file__).parents[3], "partitions.csv", "-W", "error", with_all_plugins=True
    )
    assert exit_code == 0, printed
