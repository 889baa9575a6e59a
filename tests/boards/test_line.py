"""Several slots of a station at once, each with a board of its own."""

from __future__ import annotations

import contextlib
import io
import json
import multiprocessing.process
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from fctry import nvs
from fctry.boards import Board, parse_fault
from fctry.cli.main import main
from fctry.identity.ledger import Station, create_ledger
from fctry.partitions.csv import read_csv
from fctry.provision.job import Job
from fctry.provision.line import Line, Untried, Waiting
from fctry.provision.record import Record, from_dict
from fctry.provision.slots import Slot
from fctry.settings import find_settings

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "firmware" / "native" / "build"


@pytest.fixture
def boards(tmp_path: Path) -> Iterator[list[Board]]:
    with ExitStack() as stack:
        yield [
            stack.enter_context(
                Board(tmp_path / f"{number}.bin", [BUILD], mac=bytes([0x24, 0x0A, 0xC4, 0, 0, number]))
            )
            for number in range(2)
        ]


@pytest.fixture
def ports(boards: list[Board]) -> list[str]:
    return [board.url for board in boards]


def secrets_of(board: Board) -> list[bytes]:
    """The secrets that the board has, as a text may have them."""
    factory = read_csv(ROOT / "partitions.csv").find("fctry")
    items = nvs.decode(board.flash.read(factory.offset, factory.size_bytes))
    values = [item.value for item in items if item.namespace == "secrets" and isinstance(item.value, str)]
    return [form for value in values for form in (value.encode(), value.encode().hex().encode())]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FCTRY_STATE", str(tmp_path / "state"))
    product = tmp_path / "product"
    product.mkdir()
    for source in (ROOT / "partitions.csv", ROOT / "examples" / "factory.toml"):
        (product / source.name).write_bytes(source.read_bytes())
    monkeypatch.chdir(product)
    return product


def provision(ports: list[str], *arguments: str) -> int:
    said = [word for port in ports for word in ("-p", port)]
    return main(["provision", "factory.toml", *said, "--app", str(BUILD), "--records", "records", *arguments])


def test_each_slot_proves_a_device_of_its_own(
    folder: Path, boards: list[Board], ports: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert provision(ports, "--lot", "4711", "--order", "A1", "--operator", "Ada") == 0
    out, err = capsys.readouterr()
    assert len(re.findall("^PASS ", out, re.MULTILINE)) == 2
    assert "2 of 2 devices proven (100%)" in out
    lines = (folder / "records" / "events.jsonl").read_text().splitlines()
    records = [from_dict(json.loads(line)) for line in lines]
    assert {record.device for record in records} == {1, 2}
    assert len({record.public["serial_number"] for record in records}) == 2
    for record in records:
        said = record.about
        assert (said["lot"], said["order"], said["operator"]) == ("4711", "A1", "Ada")
    assert main(["record", "show", "1"]) == 0
    assert "4 keys equal" in capsys.readouterr().out
    assert main(["record", "export", "-o", "again"]) == 0
    assert len(list((folder / "again").glob("*.openhtf.json"))) == 2
    said = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    said |= {Path("stdout"): (out + capsys.readouterr().out).encode(), Path("stderr"): err.encode()}
    secrets = [secret for board in boards for secret in secrets_of(board)]
    assert len(secrets) >= 8
    assert not [(path, secret) for path, text in said.items() for secret in secrets if secret in text]


def test_device_that_says_nothing_of_itself_fails_without_a_name(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Board(tmp_path / "gone.bin", [BUILD], faults=[parse_fault("vanish byte=3000")]) as board:
        assert provision([board.url]) == 1
        assert f"FAIL {board.url.rpartition('/')[2]}: identify: cannot read" in capsys.readouterr().out


def test_port_without_a_board_could_not_be_tried(
    folder: Path, ports: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        nobody = f"rfc2217://127.0.0.1:{server.getsockname()[1]}"
    assert provision([ports[0], nobody]) == 3
    out, err = capsys.readouterr()
    assert out.startswith("PASS ")
    assert nobody.rsplit("/", 1)[1] in err


def test_spec_that_is_wrong_is_said_before_a_port_is_touched(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "factory.toml").write_text("schema = 1\n")
    assert provision(["/dev/ttyNONE"]) == 3
    assert "factory.toml" in capsys.readouterr().err


def test_product_has_its_own_tests_between_proof_and_pass(
    folder: Path, ports: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "line").mkdir()
    (folder / "line" / "test_lamp.py").write_text(
        "def test_it(factory_device, measure):\n"
        "    assert factory_device.ask('factory').result == 'ESP_OK'\n"
        "    assert factory_device.reset().values()['fctryNamespace', 'serial_number'].startswith('SN')\n"
        "    measure('vbat', 3.31 if factory_device.public['serial_number'] == 'SN0000001G' else 3.5, high=3.4)\n"
    )
    assert provision(ports, "--tests", "line") == 1
    records = [
        from_dict(json.loads(line)) for line in (folder / "records" / "events.jsonl").read_text().splitlines()
    ]
    passed, failed = sorted(records, key=lambda record: record.failed is not None)
    assert [case.outcome for case in passed.cases] == ["passed"]
    assert passed.cases[0].measurements[0].value == 3.31
    assert failed.failed is not None
    assert failed.failed.error == "1 of 1 tests failed: test_lamp.py::test_it: vbat 3.5 (high 3.4)"
    assert main(["ledger", "show", "--only", "failed"]) == 0
    assert failed.public["serial_number"] in capsys.readouterr().out


def test_hooks_are_run_around_each_try_and_one_that_fails_is_not_the_devices_fault(
    folder: Path, ports: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "hooks").mkdir()
    for name, script in {
        "before": f"case $FCTRY_PORT in {ports[1]}) echo open door >&2; exit 1;; esac; cat > before.json",
        "passed": "cat > passed.json; echo no MES >&2; exit 7",
    }.items():
        (folder / "hooks" / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / "hooks" / name).chmod(0o700)
    monkeypatch.setattr("sys.stdin", io.StringIO("Ada\n4711\n\nA1\n\nC\n"))
    assert provision(ports, "--hooks", "hooks", "--part-number", "LAMP", "--ask") == 3
    err = capsys.readouterr().err
    assert "before: the hook ended with 1: open door" in err
    assert "passed: the hook ended with 7: no MES" in err
    about = json.loads((folder / "before.json").read_text())
    asked = {
        name: about.get(name) for name in ("operator", "lot", "line", "order", "part-number", "revision")
    }
    assert list(asked.values()) == ["Ada", "4711", None, "A1", "LAMP", "C"]
    assert from_dict(json.loads((folder / "passed.json").read_text())).failed is None


def test_label_that_is_scanned_after_the_proof_is_that_of_the_device(
    folder: Path, ports: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["batch", "factory.toml", "--count", "1", "-o", "images"]) == 0
    for label, said in (
        ("SN0000001G", "check label: the label is that of device 1, this is device 2"),
        ("SN9", "check label: no devices in the ledger have this label"),
        ("\nhttps://example.com/d?sn=SN0000002E", "PASS"),
    ):
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{label}\n"))
        assert provision(ports[:1], "--scan", "after") == (said != "PASS")
        out = capsys.readouterr().out
        assert said in out
        assert "SN9" not in out  # a label may say a secret


def test_label_that_is_scanned_before_says_which_device_it_is(
    folder: Path, ports: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["batch", "factory.toml", "--count", "3", "-o", "images"]) == 0
    monkeypatch.setattr("sys.stdin", io.StringIO("SN0000002E\n"))
    assert provision(ports[:1], "--scan", "before") == 0
    assert "device 2, serial_number SN0000002E" in capsys.readouterr().out
    for port, label, said in (
        (ports[0], "SN0000003C", "this is device 2, the label is that of device 3"),
        (ports[1], "SN0000002E", "device 2 is another chip, which differs in mac"),
        (ports[1], "SN9", "no devices in the ledger have this label"),
    ):
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{label}\n"))
        assert provision([port], "--scan", "before") == 1
        assert said in capsys.readouterr().out


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_label_that_is_no_utf8_is_one_that_nobody_has(
    folder: Path,
    ports: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    moment: str,
    encoding: str,
) -> None:
    errors = "surrogateescape" if encoding == "ascii" else "strict"  # Python's, in the C locale and elsewhere
    keyboard = io.TextIOWrapper(io.BytesIO(b"Ger\xe4t 7\n"), encoding, errors)
    monkeypatch.setattr("sys.stdin", keyboard)
    assert provision(ports[:1], "--scan", moment) == 1
    out, err = capsys.readouterr()
    assert "no devices in the ledger have this label" in out
    assert "Traceback" not in err


def test_devices_that_were_never_tried_are_not_taken_for_proven(
    folder: Path, ports: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))  # the scanner is not connected
    assert provision(ports[:1], "--scan", "before") == 3
    assert provision(ports[:1], "--scan", "before", "--loop") == 3
    assert "no device was tried" in capsys.readouterr().out
    assert main(["batch", "factory.toml", "--count", "1", "-o", "images"]) == 0
    monkeypatch.setattr("sys.stdin", io.StringIO("SN0000001G\n"))
    assert provision(ports, "--scan", "before") == 3  # one of two


def test_build_for_another_chip_is_refused_before_anything_is_written(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Board(tmp_path / "c3.bin", [BUILD], chip="esp32c3") as board:
        assert provision([board.url]) == 1
        out = capsys.readouterr().out
        assert "write app: the chip is ESP32-C3" in out
        assert "flasher_args.json is a build for esp32" in out
        assert main(["provision", "factory.toml", "-p", board.url, "--app", str(BUILD), "--dry-run"]) == 1
        assert board.flash.read(0, board.flash.size_bytes) == b"\xff" * board.flash.size_bytes
    assert main(["ledger", "find", "SN0000001G"]) == 1  # no identity was spent


def test_label_with_a_secret_that_would_be_drawn_anew_is_refused(
    folder: Path,
    boards: list[Board],
    ports: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    spec = folder / "factory.toml"
    spec.write_text(spec.read_text() + 'code = "{setup_code}"\n')  # of its label
    assert main(["batch", "factory.toml", "--count", "1", "-o", "images"]) == 0
    monkeypatch.setattr("sys.stdin", io.StringIO("SN0000001G\n"))
    assert provision(ports[:1], "--scan", "before") == 1
    assert "its label says setup_code, which would be drawn anew" in capsys.readouterr().out
    held = {path: path.read_bytes() for path in (folder / "images").rglob("*.bin")}
    (image,) = held
    assert main(["flash", str(image), "-p", ports[0]]) == 0  # as the hint says; it has its application
    monkeypatch.setattr("sys.stdin", io.StringIO("SN0000001G\n"))
    assert provision(ports[:1], "--scan", "before") == 0
    assert "device 1, serial_number SN0000001G" in capsys.readouterr().out
    factory = read_csv(ROOT / "partitions.csv").find("fctry")
    assert boards[0].flash.read(factory.offset, factory.size_bytes).startswith(held[image])


def test_scanned_label_does_not_stay_on_the_screen(folder: Path, ports: list[str]) -> None:
    keyboard, theirs = os.openpty()
    command = [sys.executable, "-m", "fctry", "provision", "-p", ports[0], "--scan", "before"]
    with subprocess.Popen(command, stdin=theirs, stderr=subprocess.PIPE, text=True) as process:
        os.close(theirs)
        assert process.stderr
        assert any(line.startswith("scan the label") for line in process.stderr)
        os.write(keyboard, b"a1b2-secret\n")
        process.stderr.read()
    assert process.returncode == 1  # there is no such label
    os.set_blocking(keyboard, False)
    with contextlib.suppress(OSError):  # nothing is there to be read
        assert b"secret" not in os.read(keyboard, 1 << 16)
    os.close(keyboard)


def test_slots_of_the_settings_take_one_board_after_the_other_until_the_line_stops(
    folder: Path, ports: list[str], tmp_path: Path
) -> None:
    settings = find_settings()
    ledger = str(folder / "ledger.db")
    create_ledger(ledger, station := Station("here", folder=tmp_path / "state"))[0].close()
    with socket.create_server(("127.0.0.1", 0)) as free:
        number = free.getsockname()[1]
    job = Job(folder / "factory.toml", settings, ledger, station, app=BUILD)
    line = Line(job, [Slot("left", f"rfc2217://127.0.0.1:{number}")], is_endless=True)
    records: list[Record] = []
    with ExitStack() as stack:
        for event in line.events():
            if isinstance(event.what, Record):
                records.append(event.what)
                stack.close()
                if len(records) == 2:
                    line.stop()
            elif isinstance(event.what, Waiting) and event.what.is_empty:
                mac = bytes([0x24, 0x0A, 0xC4, 0, 0, len(records)])
                stack.enter_context(
                    Board(tmp_path / f"next{len(records)}.bin", [BUILD], mac=mac, port=number)
                )
    assert [record.device for record in records] == [1, 2]
    assert {record.about["slot"] for record in records} == {"left"}


def test_what_would_be_written_is_said_and_what_was_written_is_verified_without_writing(
    folder: Path, boards: list[Board], capsys: pytest.CaptureFixture[str]
) -> None:
    board, factory = boards[0], read_csv(ROOT / "partitions.csv").find("fctry")
    spec_and_port = ["factory.toml", "-p", board.url]
    ledger = ["ledger", "history"]
    assert main(["ledger", "create"]) == 0
    assert provision([board.url], "--dry-run") == 0
    out = capsys.readouterr().out
    for said in ("would erase and write 0x8000 to", "would be a new device", "write the sectors at 0x10000"):
        assert said in out
    assert not board.flash.read(0, 0x40000).strip(b"\xff")
    assert main(["verify", *spec_and_port]) == 1  # there is no table on it
    assert provision([board.url]) == 0
    capsys.readouterr()
    main(ledger)
    history = capsys.readouterr().out
    assert provision([board.url], "--dry-run") == 0
    assert "device 1, as it is" in (out := capsys.readouterr().out)
    assert out.count("would write nothing") == 2
    assert main(["verify", *spec_and_port]) == 0
    out = capsys.readouterr().out
    assert "device 1, as it is: proven" in out
    assert "proven: 4 of 4 keys equal" in out
    board.flash.erase(factory.offset, factory.size_bytes)
    assert main(["verify", *spec_and_port]) == 1
    assert "device 1 does not hold the image that it was given" in capsys.readouterr().err
    assert provision([board.url], "--dry-run") == 0
    assert "would be device 1, with fresh secrets" in capsys.readouterr().out
    main(ledger)
    assert capsys.readouterr().out == history


def test_slot_whose_device_comes_to_no_end_is_ended_and_the_device_is_proven_the_next_time(
    folder: Path, ports: list[str], tmp_path: Path
) -> None:
    (folder / "line").mkdir()
    (folder / "line" / "test_hang.py").write_text("import time\ndef test_it(): time.sleep(50)\n")
    ledger = str(folder / "ledger.db")
    create_ledger(ledger, station := Station("here", folder=tmp_path / "state"))[0].close()
    job = Job(folder / "factory.toml", find_settings(), ledger, station, app=BUILD, tests=Path("line"))
    (untried,) = [
        event.what
        for event in Line(job, [Slot("left", ports[0])], bound_s=3.0).events()
        if isinstance(event.what, Untried)
    ]
    why = "its device did not come to an end within 3 s, after the step prove: 4 keys equal"
    assert untried.error == why
    assert provision(ports[:1]) == 0


def test_slot_comes_back_for_the_next_board_after_one_that_came_to_no_end(
    folder: Path, tmp_path: Path
) -> None:
    (folder / "line").mkdir()
    (mark := tmp_path / "hangs").touch()
    (folder / "line" / "test_hang.py").write_text(
        "import pathlib, time\n"
        "def test_it():\n"
        f"    mark = pathlib.Path({str(mark)!r})\n"
        "    if mark.exists():\n"
        "        mark.unlink()\n"
        "        time.sleep(50)\n"
    )
    ledger = str(folder / "ledger.db")
    create_ledger(ledger, station := Station("here", folder=tmp_path / "state"))[0].close()
    job = Job(folder / "factory.toml", find_settings(), ledger, station, app=BUILD, tests=Path("line"))
    boards, said = ExitStack(), []
    macs = [bytes([0x24, 0x0A, 0xC4, 0, 0, number]) for number in range(2)]
    with boards:
        first = boards.enter_context(Board(tmp_path / "0.bin", [BUILD], mac=macs[0]))
        number = int(first.url.rpartition(":")[2])
        line = Line(job, [Slot("left", first.url)], is_endless=True, bound_s=4.0)
        for event in line.events():
            if isinstance(event.what, Untried | Waiting | Record):
                said.append(type(event.what).__name__)
            if isinstance(event.what, Waiting) and not event.what.is_empty:
                boards.close()  # somebody takes it out
            elif isinstance(event.what, Waiting):
                boards.enter_context(Board(tmp_path / "1.bin", [BUILD], mac=macs[1], port=number))
            elif isinstance(event.what, Record):
                assert event.what.device == 2
                line.stop()
    assert said[:4] == ["Untried", "Waiting", "Waiting", "Record"]


@pytest.mark.parametrize(
    ("end", "status"), [("os.kill(os.getpid(), signal.SIGKILL)", -9), ("os._exit(0)", 0)]
)
def test_slot_whose_process_dies_says_so_and_the_others_go_on(
    end: str, status: int, folder: Path, ports: list[str], tmp_path: Path
) -> None:
    (folder / "line").mkdir()
    (mark := tmp_path / "kills").touch()
    (folder / "line" / "test_dies.py").write_text(
        "import os, signal\n"
        "def test_it():\n"
        "    try:\n"
        f"        os.unlink({str(mark)!r})\n"
        "    except OSError:\n"
        "        return\n"
        f"    {end}\n"
    )
    ledger = str(folder / "ledger.db")
    create_ledger(ledger, station := Station("here", folder=tmp_path / "state"))[0].close()
    job = Job(folder / "factory.toml", find_settings(), ledger, station, app=BUILD, tests=Path("line"))
    slots = [Slot(name, port) for name, port in zip("ab", ports, strict=True)]
    ends = [event.what for event in Line(job, slots).events() if isinstance(event.what, Untried | Record)]
    (untried,) = [one for one in ends if isinstance(one, Untried)]
    assert untried.error == f"the slot's process has ended ({status}), after the step prove: 4 keys equal"
    (record,) = [one for one in ends if isinstance(one, Record)]
    assert record.failed is None


def test_device_whose_record_cannot_be_kept_is_not_passed_and_no_other_begins(
    folder: Path, ports: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "hooks").mkdir()
    (folder / "hooks" / "before").write_text("#!/bin/sh\nrm records/*\nmkdir records/events.jsonl\n")
    (folder / "hooks" / "before").chmod(0o700)  # as good as a full disk
    assert provision(ports[:1], "--hooks", "hooks") == 3
    out, err = capsys.readouterr()
    assert "PASS" not in out
    assert "the ledger has the records" in err
    assert "1 device tried, but without a record: see `fctry ledger show`" in out.splitlines()
    assert err.count("error:") == 1
    assert main(["ledger", "show"]) == 0
    assert re.match(r" +1 +proven ", capsys.readouterr().out)


def test_chip_of_another_project_gets_neither_identity_nor_application(
    folder: Path, boards: list[Board], capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "sdkconfig").write_text('CONFIG_IDF_TARGET="esp32c3"\n')
    assert provision([boards[0].url]) == 1
    assert "identify: the chip is ESP32, the project's sdkconfig is for esp32c3" in capsys.readouterr().out
    assert boards[0].flash.read(0x8000, 0x1000) == b"\xff" * 0x1000
    assert main(["ledger", "show"]) == 0
    assert capsys.readouterr().err == "no device\n"


@pytest.mark.parametrize(
    ("made", "error"),
    [
        (lambda records: records.touch(), "error: records: cannot make the folder"),
        (
            lambda records: (records / "events.jsonl").mkdir(parents=True),
            "error: records/events.jsonl: cannot",
        ),
    ],
)
def test_folder_that_takes_no_record_is_refused_before_a_device_is_touched(
    folder: Path,
    boards: list[Board],
    made: Callable[[Path], None],
    error: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    made(folder / "records")
    assert provision([board.url for board in boards]) == 3
    assert error in capsys.readouterr().err
    assert boards[0].flash.read(0x8000, 0x1000) == b"\xff" * 0x1000


def test_line_is_abandoned_at_any_moment_of_its_start(
    folder: Path, ports: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = str(folder / "ledger.db")
    create_ledger(ledger, station := Station("here", folder=tmp_path / "state"))[0].close()
    job = Job(folder / "factory.toml", find_settings(), ledger, station, app=BUILD)
    line = Line(job, [Slot(name, port) for name, port in zip("ab", ports, strict=True)])
    started: list[set[int]] = []
    start = multiprocessing.process.BaseProcess.start

    def interrupted(process: multiprocessing.process.BaseProcess) -> None:
        started.append(signal.pthread_sigmask(signal.SIG_BLOCK, []))
        line.abandon()  # Ctrl-C, twice
        start(process)

    monkeypatch.setattr(multiprocessing.process.BaseProcess, "start", interrupted)
    ends = [event.what for event in line.events()]
    assert [one.error for one in ends if isinstance(one, Untried)] == [
        "the slot's process has ended (-9)"
    ] * 2
    assert all(signal.SIGINT in blocked for blocked in started)  # no slot is interrupted while it begins
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_line_that_was_stopped_by_a_signal_does_not_wait_for_a_lock(
    folder: Path, ports: list[str], tmp_path: Path
) -> None:
    ledger = str(folder / "ledger.db")
    create_ledger(ledger, station := Station("here", folder=tmp_path / "state"))[0].close()
    line = Line(Job(folder / "factory.toml", find_settings(), ledger, station), [Slot("a", ports[0])])
    assert not hasattr(line._stopped, "_lock")
    line.stop()
    assert list(line.events()) == []
