"""The command `fctry flash` on a simulated board that runs the native firmware."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fctry.boards import Board
from fctry.cli.main import main
from fctry.errors import InputError
from fctry.partitions.flasher_args import read_flasher_args
from fctry.provision.line import Event, Line

ROOT = Path(__file__).parents[2]
NATIVE = ROOT / "firmware" / "native"
LAYOUT = ["--partitions", str(ROOT / "partitions.csv")]
DEVICE = """key,type,encoding,value
fctryNamespace,namespace,,
serial_number,data,string,164589345735
gain,data,float,0.1
"""
SECRETS = """secrets,namespace,,
password,data,string,hünter2
pairing pin,data,hex2bin,00ff10a5
"""


@pytest.fixture(scope="session")
def native_build() -> Path:
    """The native build folder, made anew if a source has changed."""
    subprocess.run(
        ["make", "--no-print-directory", "--silent", "-C", NATIVE, f"PYTHON={sys.executable}"], check=True
    )
    return NATIVE / "build"


@pytest.fixture
def native_board(native_build: Path, tmp_path: Path) -> Iterator[Board]:
    board = Board(tmp_path / "flash.bin", [native_build])
    for address, data in read_flasher_args(native_build).writes():
        board.flash.program(address, data)
    with board:
        yield board


def flash(board: Board, folder: Path, text: str, *options: str) -> int:
    (folder / "device.csv").write_text(text, encoding="utf-8")
    return main(["flash", str(folder / "device.csv"), "--port", board.url, *LAYOUT, *options])


def test_secrets_are_proven_and_not_shown(
    native_board: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert flash(native_board, tmp_path, DEVICE + SECRETS, "--verbose") == 0
    out = capsys.readouterr().out
    assert "proven: 4 of 4 keys equal" in out
    assert out.count("(proof accepted)") == 2
    assert "(secret, 8 bytes)" in out
    assert "hünter2" not in out


def test_secret_that_the_firmware_reports_is_hidden_in_its_words(
    native_board: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "partitions.csv").write_bytes((ROOT / "partitions.csv").read_bytes())
    (tmp_path / "fctry.toml").write_text('secret-namespaces = ["fctryNamespace"]\n')
    (tmp_path / "device.csv").write_text(DEVICE)
    table = ["--partitions", str(tmp_path / "partitions.csv")]
    assert main(["flash", str(tmp_path / "device.csv"), "--port", native_board.url, *table, "-v"]) == 1
    shown = "".join(capsys.readouterr())
    assert '"value":"(secret)"' in shown
    assert "164589345735" not in shown


def test_table_at_another_offset_is_the_one_that_counts(
    native_build: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    csv, device = tmp_path / "partitions.csv", tmp_path / "device.csv"
    csv.write_text(
        "nvs,data,nvs,0xd000,0x3000\nfctry,data,nvs,0x10000,0x6000,readonly\nfactory,app,factory,0x20000,1M\n"
    )
    (tmp_path / "sdkconfig.defaults").write_text(
        "CONFIG_PARTITION_TABLE_CUSTOM=y\nCONFIG_PARTITION_TABLE_OFFSET=0xC000\n"
    )
    device.write_text(DEVICE, encoding="utf-8")
    assert main(["layout", "build", str(csv), "-o", str(tmp_path / "table.bin")]) == 0
    with Board(tmp_path / "flash.bin", [native_build], table_offset=0xC000) as board:
        board.flash.program(0xC000, (tmp_path / "table.bin").read_bytes())
        board.flash.program(0x20000, (native_build / "fctry.bin").read_bytes())
        assert main(["flash", str(device), "--port", board.url, "--partitions", str(csv)]) == 0
        assert board.flash.read(0x8000, 0x1000) == b"\xff" * 0x1000
    assert "proven: 2 of 2 keys equal" in capsys.readouterr().out


def test_chip_that_is_not_the_sdkconfigs_is_refused_before_anything_is_written(
    native_board: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "partitions.csv").write_bytes((ROOT / "partitions.csv").read_bytes())
    (tmp_path / "sdkconfig").write_text('CONFIG_IDF_TARGET="esp32c3"\n')
    (tmp_path / "device.csv").write_text(DEVICE)
    before = native_board.flash.read(0, native_board.flash.size_bytes)
    said = ["flash", str(tmp_path / "device.csv"), "--partitions", str(tmp_path / "partitions.csv"), "--port"]
    assert main([*said, native_board.url]) == 1
    assert native_board.flash.read(0, native_board.flash.size_bytes) == before
    err = capsys.readouterr().err
    assert "error: the chip is ESP32, the project's sdkconfig is for esp32c3" in err
    assert "--chip esp32" in err
    assert main([*said, native_board.url, "--chip", "esp32"]) == 0


@pytest.mark.parametrize("offset", [0, 0x8800, 0x100000])
def test_offset_where_no_table_can_be_is_refused(tmp_path: Path, offset: int) -> None:
    with pytest.raises(InputError, match="no partition table can be at"):
        Board(tmp_path / "flash.bin", table_offset=offset)


def test_number_and_empty_string_among_the_secrets_are_proven_and_not_shown(
    native_board: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert flash(native_board, tmp_path, DEVICE + SECRETS + "number,data,u32,4711\nempty,data,string,\n") == 0
    out = capsys.readouterr().out
    assert "proven: 6 of 6 keys equal" in out
    assert "4711" not in out


def test_demo_proves_four_devices_one_on_its_second_try_and_refuses_a_twin_in_an_empty_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["demo", "--records", "records"]) == 0
    out = capsys.readouterr().out
    proven = dict(re.findall(r"^PASS (\w): .*serial_number (\w+)", out, re.MULTILINE))
    assert set(proven) == {"A", "B", "C", "D"}
    assert len(set(proven.values())) == 4
    (failed,) = re.findall(r"^FAIL (\w): .*serial_number (\w+)", out, re.MULTILINE)
    assert failed == ("D", proven["D"])
    assert "proven: 4 of 4 keys equal" in out
    assert "refused: a value of 'my-product/fctryNamespace:serial_number' was handed out already" in out
    assert (tmp_path / "records" / "run.html").is_file()


def test_demo_that_is_interrupted_ends_with_what_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    events = Line.events

    def interrupted(line: Line) -> Iterator[Event]:
        signal.raise_signal(signal.SIGINT)
        yield from events(line)

    monkeypatch.setattr(Line, "events", interrupted)
    assert main(["demo"]) == 130
    out, err = capsys.readouterr()
    assert "finishing what runs" in err
    assert "[4/5]" not in out


def test_data_of_another_device_are_overwritten_by_force_only(
    native_board: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert flash(native_board, tmp_path, DEVICE) == 0
    assert f"MAC {native_board.mac.hex(':')}" in capsys.readouterr().out
    other = DEVICE.replace("164589345735", "2")
    assert flash(native_board, tmp_path, other) == 1
    assert "holds other data already" in capsys.readouterr().err
    assert flash(native_board, tmp_path, DEVICE) == 0
    assert flash(native_board, tmp_path, other, "--force") == 0


def test_dry_run_says_what_would_be_erased_and_verify_what_differs(
    native_board: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = native_board.flash.path.read_bytes()
    assert flash(native_board, tmp_path, DEVICE, "--dry-run") == 0
    assert "would erase and write the sectors at 0x10000" in capsys.readouterr().out
    verify = ["verify", str(tmp_path / "device.csv"), "--port", native_board.url, *LAYOUT]
    assert main(verify) == 1
    assert "the sectors at 0x10000 differ" in capsys.readouterr().err
    assert native_board.flash.path.read_bytes() == before
    assert flash(native_board, tmp_path, DEVICE) == 0
    capsys.readouterr()
    assert main(verify) == 0
    assert "proven: 2 of 2 keys equal" in capsys.readouterr().out
    assert flash(native_board, tmp_path, DEVICE, "--dry-run") == 0
    assert "would write nothing" in capsys.readouterr().out


def test_namespace_that_firmware_does_not_read_is_said_with_its_last_words(
    native_board: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert flash(native_board, tmp_path, DEVICE.replace("fctryNamespace", "device_data")) == 1
    out = " ".join(capsys.readouterr().out.split())
    assert "no namespace fctryNamespace, which the firmware reads, but device_data" in out
    assert "console: @fctry" in out
