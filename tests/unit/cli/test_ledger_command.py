"""`fctry ledger …`, from making one to a backup that was put back."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pyrage
import pytest

from fctry.cli.main import main
from fctry.identity.draft import Context, Draft
from fctry.identity.ledger import Station, open_ledger
from fctry.nvs.item import Value
from tests.unit.identity.conftest import LAMP, NOW, Lamps

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def lamps() -> Lamps:
    return Lamps()


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(action: str, *arguments: object) -> tuple[int, str, str]:
        places = ["--ledger", tmp_path / "ledger.db", "--state", tmp_path / "state", "--operator", "eve"]
        code = main(["ledger", action, *map(str, [*arguments, *places])])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def key(run: Run, tmp_path: Path, lamps: Lamps) -> Path:
    """The private key of a ledger of three devices."""
    code, out, _ = run("create")
    (key,) = (tmp_path / "state").glob("*.agekey")
    assert code == 0
    assert str(key) in out
    reserve(tmp_path, lamps, 3)
    return key


def reserve(folder: Path, lamps: Lamps, count: int) -> None:
    with open_ledger(str(folder / "ledger.db"), Station("bench", "eve", folder / "state")) as ledger:
        list(ledger.reserve(LAMP, lamps, [NOW] * count))


@pytest.mark.parametrize("action", ["create", "show", "upgrade"])
def test_folder_that_is_missing_is_said_and_the_remedy_makes_it(
    action: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    said = ["ledger", action, "--ledger", "no folder/ledger.db", "--state", "state"]
    assert main(said) == 1
    err = capsys.readouterr().err
    assert f"there is no folder '{tmp_path}/no folder'\n" in err
    assert not Path("state").exists()
    subprocess.run(err.partition("make the folder: ")[2], shell=True, check=True)
    assert main(said) == (0 if action == "create" else 1)
    assert "there is no folder" not in capsys.readouterr().err


@pytest.mark.parametrize("action", ["create", "show", "upgrade"])
@pytest.mark.parametrize(
    ("name", "message"), [(".", "this is no file"), ("factory.toml", "this is no ledger")]
)
def test_name_of_what_is_no_ledger_is_refused(
    action: str, name: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "factory.toml").write_text("schema = 1\n" * 9)
    places = ["--ledger", str(tmp_path / name), "--state", str(tmp_path / "state")]
    assert main(["ledger", action, *places]) == 1
    assert message in capsys.readouterr().err


def test_state_folder_that_cannot_be_is_refused_before_a_ledger_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    for state in (tmp_path / "file", tmp_path / "file" / "state"):
        assert main(["ledger", "create", "--ledger", str(tmp_path / "n.db"), "--state", str(state)]) == 1
        assert f"error: {state}: cannot make the folder: " in capsys.readouterr().err
    assert not (tmp_path / "n.db").exists()


def test_nothing_to_show_or_export_is_said(run: Run, key: Path, tmp_path: Path) -> None:
    assert run("show", "--only", "proven") == (0, "", "no device\n")
    assert run("show", "--only", "provn")[0] == 2
    code, out, err = run("export", "--batch", "absent")
    assert (code, out) == (1, "")
    assert "no device of the batch 'absent'" in err
    places = ["--ledger", str(tmp_path / "ledger.db"), "--state", str(tmp_path / "state")]
    assert main(["record", "export", "-o", str(tmp_path / "records"), "--lot", "absent", *places]) == 1
    assert not (tmp_path / "records").exists()


def test_devices_are_shown_found_and_scrapped(run: Run, key: Path) -> None:
    assert [line.split()[:2] for line in run("show")[1].splitlines()] == [
        ["1", "reserved"],
        ["2", "reserved"],
        ["3", "reserved"],
    ]
    assert run("find", "SN1001")[1].split()[0] == "2"
    assert run("find", "SN9")[:2] == (1, "no device has it, and there is no such file\n")
    assert run("scrap", "2", "--why", "fell down")[0] == 0
    assert run("show", "2")[1].split()[1] == "scrapped"
    assert "fell down" in run("history", "2")[1].splitlines()[-1]
    assert run("scrap", "2", "--why", "again")[0] == 1
    assert run("show", "9")[0] == run("history", "9")[0] == 1


def test_chip_is_found_by_its_ids(run: Run, key: Path, tmp_path: Path) -> None:
    with open_ledger(str(tmp_path / "ledger.db"), Station("bench", "eve", tmp_path / "state")) as ledger:
        ledger.bind(3, mac="24:0A:C4:00:00:01")
        ledger.bind(3, unique_id="ab" * 16)
    assert run("find", "24:0a:C4:00:00:01")[1].split()[0] == "3"
    assert run("find", "AB" * 16)[1].split()[0] == "3"


def test_export_holds_every_device_and_secrets_only_with_the_key(run: Run, key: Path, lamps: Lamps) -> None:
    rows = list(csv.DictReader(run("export")[1].splitlines()))
    assert [(row["id"], row["serial"]) for row in rows] == [("1", "SN1000"), ("2", "SN1001"), ("3", "SN1002")]
    plain = run("export", "--format", "jsonl")[1]
    assert [json.loads(line)["public"]["serial"] for line in plain.splitlines()] == [
        row["serial"] for row in rows
    ]
    assert not [one for one in lamps.passwords if one in plain]
    lines = run("export", "--format", "jsonl", "--private-key", key)[1].splitlines()
    assert [json.loads(line)["secrets"]["secrets:password"] for line in lines] == lamps.passwords
    assert "revealed" in run("history", "3")[1]


def test_secrets_are_revealed_with_the_key_and_nothing_else_says_them(
    run: Run, key: Path, lamps: Lamps
) -> None:
    said = "".join(
        text
        for arguments in (["show"], ["history"], ["find", "SN1000"], ["export"], ["verify"], ["upgrade"])
        for text in run(*arguments)[1:]
    )
    assert not [one for one in lamps.passwords if one in said]
    assert json.loads(run("reveal", "1", "--private-key", key, "--why", "returned")[1]) == {
        "secrets:password": lamps.passwords[0]
    }
    assert "returned" in run("history", "1")[1]
    assert run("reveal", "1", "--private-key", key.with_name("none"), "--why", "x")[0] == 1


def test_backup_that_was_put_back_is_refused_and_accepted(
    run: Run, key: Path, tmp_path: Path, lamps: Lamps
) -> None:
    shutil.copy(tmp_path / "ledger.db", tmp_path / "backup.db")
    reserve(tmp_path, lamps, 2)
    shutil.copy(tmp_path / "backup.db", tmp_path / "ledger.db")
    code, _, err = run("verify")
    assert code == 1
    assert "accept-restore" in err
    assert "serial goes on at 1005" in run("accept-restore")[1]
    assert run("verify")[0] == 0
    assert run("accept-restore")[0] == 1


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_export_is_witness_of_a_backup_that_was_put_back(
    run: Run, key: Path, tmp_path: Path, lamps: Lamps, kind: str
) -> None:
    """To a station that has seen nothing of what was handed out since the backup."""
    shutil.copytree(tmp_path / "state", tmp_path / "other")
    shutil.copy(tmp_path / "ledger.db", tmp_path / "backup.db")
    reserve(tmp_path, lamps, 2)
    export = tmp_path / f"export.{kind}"
    export.write_text(run("export", "--format", kind)[1])
    assert run("verify", export)[0] == 0
    shutil.copy(tmp_path / "backup.db", tmp_path / "ledger.db")
    shutil.rmtree(tmp_path / "state")
    (tmp_path / "other").rename(tmp_path / "state")
    assert run("verify")[0] == 0
    code, _, err = run("verify", export)
    assert (code, "accept-restore" in err) == (1, True)
    assert "serial goes on at 1005" in run("accept-restore", export)[1]
    export.write_text("number,file,sha256\r\n1,00001.bin,00\r\n")
    assert "no witness of this ledger" in run("verify", export)[2]


def test_export_and_show_have_the_chip(run: Run, key: Path, tmp_path: Path) -> None:
    with open_ledger(str(tmp_path / "ledger.db"), Station(folder=tmp_path / "state")) as ledger:
        ledger.bind(2, mac="24:0A:C4:00:00:01", flash_id="AB" * 8)
    rows = list(csv.DictReader(run("export")[1].splitlines()))
    assert [row["chip.mac"] for row in rows] == ["", "24:0a:c4:00:00:01", ""]
    lines = [json.loads(line) for line in run("export", "--format", "jsonl")[1].splitlines()]
    assert [line["chip"] for line in lines] == [{}, {"mac": "24:0a:c4:00:00:01", "flash_id": "ab" * 8}, {}]
    assert {(line["spec_sha256"], line["tool"]) for line in lines} == {(LAMP.spec_sha256, "fctry")}
    assert "chip.mac=24:0a:c4:00:00:01" in run("show", "2")[1]


@pytest.mark.parametrize("action", ["show", "export"])
def test_batch_is_named_by_its_folder_and_one_that_is_not_there_is_refused(
    run: Run, key: Path, tmp_path: Path, action: str
) -> None:
    with open_ledger(str(tmp_path / "ledger.db"), Station(folder=tmp_path / "state")) as ledger:
        list(ledger.reserve(LAMP, Lamps(), [NOW], batch="b1", numbers=[1]))
    (tmp_path / "lot").mkdir()
    (tmp_path / "lot/batch.json").write_text('{"batch": "b1"}')
    by_folder, by_name = (run(action, "--batch", name)[1] for name in (tmp_path / "lot", "b1"))
    assert by_folder == by_name
    assert "SN1003" in by_name
    assert "SN1000" not in by_name
    code, _, err = run(action, "--batch", "lots")
    assert (code, "no device of the batch 'lots'" in err) == (1, True)


def test_history_of_a_device_tells_of_that_device_alone(run: Run, key: Path, tmp_path: Path) -> None:
    with open_ledger(str(tmp_path / "ledger.db"), Station(folder=tmp_path / "state")) as ledger:
        ledger.renew_each({1: NOW, 2: NOW}, Lamps())
    assert "generation=2" in run("history", "1")[1]
    for told in (run("history", "1")[1], run("history")[1]):
        assert "generations" not in told


def test_values_move_no_cursor_of_a_terminal(run: Run, key: Path, tmp_path: Path) -> None:
    class Named(Lamps):
        def draw(
            self, counters: Mapping[str, int], context: Context, kept: Mapping[str, Value] | None = None
        ) -> Draft:
            return super().draw(counters, context, kept)._replace(public={"name": "a\x1b[2J\nb"})

    reserve(tmp_path, Named(), 1)
    assert r"name=a\x1b[2J\nb" in run("show", "4")[1]
    assert run("scrap", "1", "--why", "fell\x1b[1A")[0] == 0
    assert r"why=fell\x1b[1A" in run("history", "1")[1]


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_what_is_exported_and_revealed_is_whole_whatever_the_terminal_knows(
    run: Run, key: Path, tmp_path: Path, form: str
) -> None:
    class Named(Lamps):
        def draw(
            self, counters: Mapping[str, int], context: Context, kept: Mapping[str, Value] | None = None
        ) -> Draft:
            lamp = super().draw(counters, context, kept)
            return lamp._replace(public={"name": "Lämpchen ☃\r\n2"}, secrets={"secrets:password": "Äß☃"})

    reserve(tmp_path, Named(), 1)
    command = [sys.executable, "-m", "fctry", "ledger"]
    places = ["--ledger", str(tmp_path / "ledger.db"), "--state", str(tmp_path / "state")]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}

    def said(*arguments: str) -> str:
        done = subprocess.run(
            [*command, *arguments, *places], env=environment, check=True, capture_output=True
        )
        return done.stdout.decode()

    exported = said("export", "--format", form)
    if form == "csv":
        row = list(csv.DictReader(io.StringIO(exported, newline="")))[-1]
    else:
        row = json.loads(exported.splitlines()[-1])["public"]
    assert row["name"] == "Lämpchen ☃\r\n2"
    assert json.loads(said("reveal", "4", "--private-key", str(key), "--why", "test")) == {
        "secrets:password": "Äß☃"
    }


def test_forgotten_secrets_have_no_recipient(run: Run, tmp_path: Path) -> None:
    recipient = str(pyrage.x25519.Identity.generate().to_public())
    code, _, err = run("create", "--secrets", "forgotten", "--recipient", recipient)
    assert (code, "forgotten secrets have no recipient" in err) == (1, True)
    assert not (tmp_path / "ledger.db").exists()


def test_export_with_secrets_has_devices_without_any_and_one_line_in_the_journal(
    run: Run, key: Path, lamps: Lamps, tmp_path: Path
) -> None:
    class Bare(Lamps):
        def draw(
            self, counters: Mapping[str, int], context: Context, kept: Mapping[str, Value] | None = None
        ) -> Draft:
            return super().draw(counters, context, kept)._replace(secrets={})

    reserve(tmp_path, Bare(), 1)
    reserve(tmp_path, lamps, 1)
    lines = run("export", "--format", "jsonl", "--private-key", key)[1].splitlines()
    secrets = [json.loads(line)["secrets"].get("secrets:password") for line in lines]
    assert secrets == [*lamps.passwords[:3], None, lamps.passwords[3]]
    assert run("history")[1].count("  revealed ") == 1
    assert "revealed" in run("history", "5")[1]
    assert "revealed" not in run("history", "4")[1]


def test_forgotten_secrets_are_not_exported_as_none(run: Run, tmp_path: Path, lamps: Lamps) -> None:
    assert run("create", "--secrets", "forgotten")[0] == 0
    reserve(tmp_path, lamps, 1)
    code, out, err = run("export", "--format", "jsonl", "--private-key", "any.key")
    assert (code, out, "the ledger forgets secrets" in err) == (1, "", True)


@pytest.mark.parametrize("device", ["77", str(2**80)])
@pytest.mark.parametrize("action", [["show"], ["history"], ["scrap", "--why", "x"]])
def test_device_that_is_not_there_is_refused(run: Run, key: Path, action: list[str], device: str) -> None:
    code, _, err = run(*action, device)
    assert code == 1
    assert ("a number is too large" if len(device) > 2 else "the ledger has no device 77") in err


def test_state_that_is_none_is_refused(run: Run, key: Path) -> None:
    assert run("show", "--only", "bult")[0] == 2


def test_words_that_are_no_utf_8_are_refused(run: Run, key: Path) -> None:
    code, _, err = run("scrap", "1", "--why", "\udcff")
    assert code == 2
    assert "no UTF-8 text" in err
    assert run("show", "1")[1].split()[1] != "scrapped"


def test_export_as_csv_has_each_column_once(run: Run, key: Path, tmp_path: Path) -> None:
    class Named(Lamps):
        def draw(
            self, counters: Mapping[str, int], context: Context, kept: Mapping[str, Value] | None = None
        ) -> Draft:
            return super().draw(counters, context, kept)._replace(public={"id": "A7", "witness": "Bob"})

    reserve(tmp_path, Named(), 1)
    row = list(csv.DictReader(run("export")[1].splitlines()))[-1]
    assert (row["id"], row["public.id"], row["public.witness"]) == ("4", "A7", "Bob")
