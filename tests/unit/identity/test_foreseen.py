"""Devices of a CSV are written while the ledger is asked: whole or not at all, whoever is refused or killed."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Protocol

import pytest

from fctry import nvs
from fctry.cli.main import main
from fctry.identity import batch, foreseen, writers
from fctry.identity.batch_folder import PENDING, BatchFolder, Writer
from fctry.identity.csv_devices import DeviceRow, Rows
from fctry.identity.draft import Draft
from fctry.identity.ledger import Station, open_ledger
from tests.python_server import RunPython

WORTH, AT_ONCE = writers.WORTH // 4, writers.AT_ONCE // 4  # as many processes and parts, of fewer devices
MANY = 2 * WORTH


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FCTRY_STATE", str(tmp_path / "state"))


def command(count: int, *, lot: str = "lot", ledger: str = "none", last: str = "7") -> list[str]:
    Path("config.csv").write_text("ns,namespace,\nsn,data,string\nn,data,u8\nnote,data,string\n")
    rows = [f"A{number},{number % 256},x" for number in range(1, count)]
    Path("values.csv").write_text("\n".join(["sn,n,note", *rows, f"A{count},{last},x", ""]))
    ledgers = ["--ledger", ledger] if ledger else []
    return ["batch", "config.csv", "values.csv", "-o", lot, "--size", "0x3000", *ledgers]


FORKED = """
import sys
from fctry.cli.main import main
from fctry.identity import batch, foreseen, writers
foreseen.KEPT = batch.CHUNK = int(sys.argv[1])
writers.WORTH, writers.AT_ONCE = map(int, sys.argv[2:4])
sys.exit(main(sys.argv[4:]))
"""


class Run(Protocol):
    def __call__(self, arguments: list[str], at_once: int = foreseen.KEPT) -> CompletedProcess[str]:
        """In a process of its own, which can be forked."""


@pytest.fixture
def run(run_python: RunPython) -> Run:
    def run(arguments: list[str], at_once: int = foreseen.KEPT) -> CompletedProcess[str]:
        return run_python(FORKED, *map(str, (at_once, WORTH, AT_ONCE)), *arguments)

    return run


def check_whole(count: int, lot: str = "lot") -> None:
    lines = [json.loads(line) for line in Path(lot, "manifest.jsonl").read_text().splitlines()]
    assert sorted(line["number"] for line in lines) == list(range(1, count + 1))
    with Path(lot, "manifest.csv").open(newline="") as file:
        assert [row["sha256"] for row in csv.DictReader(file)] == [line["sha256"] for line in lines]
    for line in lines:
        data = Path(lot, line["file"]).read_bytes()
        assert line["sha256"] == hashlib.sha256(data).hexdigest()
        values = {item.key: item.value for item in nvs.decode(data)}
        assert values["sn"] == line["fields"]["sn"] == f"A{line['number']}"
    there = {one.name for one in Path(lot).iterdir()}
    assert there == {"batch.json", "manifest.csv", "manifest.jsonl", *(line["file"] for line in lines)}


def check_ledger(count: int) -> None:
    with open_ledger("ledger.db", Station(folder=Path("state"))) as ledger:
        devices = list(ledger.devices(state="built"))
        assert sorted(one.number or 0 for one in devices) == list(range(1, count + 1))
        digests = {one.image_sha256 for one in devices}
        assert "secrets renewed" not in {line.event for line in ledger.history()}  # they have none
        ledger.verify()
    assert digests == {hashlib.sha256(one.read_bytes()).hexdigest() for one in Path("lot").glob("*.bin")}


def test_several_processes_make_what_one_makes(run: Run) -> None:
    done = run(command(MANY, ledger=""))
    assert done.returncode == 0, done.stderr
    check_whole(MANY)
    check_ledger(MANY)
    assert main(command(MANY, lot="alone")) == 0
    for one in Path("alone").glob("*.bin"):
        assert one.read_bytes() == Path("lot", one.name).read_bytes()
    assert Path("alone/manifest.csv").read_bytes() == Path("lot/manifest.csv").read_bytes()


@pytest.mark.parametrize("ledger", ["none", ""])
def test_those_that_are_not_kept_are_made_too(monkeypatch: pytest.MonkeyPatch, ledger: str) -> None:
    monkeypatch.setattr(foreseen, "KEPT", 3)
    monkeypatch.setattr(batch, "CHUNK", 2)
    assert main(command(9, ledger=ledger)) == 0
    check_whole(9)
    if not ledger:
        check_ledger(9)


def test_several_processes_make_those_that_are_not_kept_too(run: Run) -> None:
    count = 3 * WORTH
    done = run(command(count), at_once=WORTH)
    assert done.returncode == 0, done.stderr
    check_whole(count)


def test_cells_that_hold_any_character_are_kept() -> None:
    rows = Rows()
    for line, cells in enumerate([("a", "", "b"), ("a\x1fb", "c"), ("",)]):
        rows.append(DeviceRow(line, cells))
    assert list(rows) == rows[:] == [(0, ("a", "", "b")), (1, ("a\x1fb", "c")), (2, ("",))]


@pytest.mark.parametrize("count", [3, MANY])
@pytest.mark.parametrize("is_there", [False, True])
def test_refused_device_leaves_nothing(run: Run, count: int, is_there: bool) -> None:
    if is_there:
        Path("lot").mkdir()
    done = run(command(count, last="256", ledger=""))
    assert done.returncode == 1
    assert f"values.csv:{count + 1}: ns:n" in done.stderr or f"values.csv:{count + 1}: key 'n'" in done.stderr
    assert not list(Path().glob("lot/*"))
    assert Path("lot").exists() == is_there
    assert not Path("ledger.db").exists()


@pytest.mark.parametrize("count", [3, MANY])
def test_lot_that_the_ledger_refuses_keeps_no_image(run: Run, count: int) -> None:
    unique = ["--unique", "sn"]
    assert main([*command(3, ledger=""), *unique]) == 0
    done = run([*command(count, lot="again", ledger=""), *unique])
    assert done.returncode == 1
    assert "was handed out already" in done.stderr
    assert {one.name for one in Path("again").iterdir()} == {"batch.json", "manifest.csv", "manifest.jsonl"}


def test_what_a_killed_one_has_begun_is_made_anew() -> None:
    Path("lot", PENDING).mkdir(parents=True)
    Path("lot", PENDING, "00001.bin").write_bytes(b"half of i")
    assert main(command(3)) == 0
    check_whole(3)


@pytest.mark.parametrize("at", [1, 2, 3])
def test_batch_goes_on_where_it_was_cut(monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    """The ledger has reserved devices by then whose images are gone."""
    monkeypatch.setattr(batch, "CHUNK", 3)
    calls, add = 0, BatchFolder.add

    def cutting_add(
        self: BatchFolder,
        devices: Iterable[tuple[int, str, Draft]],
        writer: Writer,
        record: Callable[[dict[int, str]], None],
    ) -> None:
        nonlocal calls
        calls += 1
        if calls == at:
            list(devices)
            raise KeyboardInterrupt
        add(self, devices, writer, record)

    with monkeypatch.context() as patch:
        patch.setattr(BatchFolder, "add", cutting_add)
        assert main(command(8, ledger="")) == 130
    assert main(command(8, ledger="")) == 0
    check_whole(8)
    check_ledger(8)


def test_folder_of_another_batch_stays_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command(3)) == 0
    before = {one: one.read_bytes() for one in Path("lot").iterdir()}
    assert main(command(4)) == 1
    assert "there is another batch" in capsys.readouterr().err
    assert {one: one.read_bytes() for one in Path("lot").iterdir()} == before
