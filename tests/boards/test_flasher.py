"""The flasher on a board: what it does to the flash, what it tells, and how it fails."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import esptool
import pytest

from fctry.boards import Board, parse_fault
from fctry.device import Deadline, flasher, resets
from fctry.device.permit import Permit
from fctry.errors import DeviceError, InputError, PortError
from tests.boards.kit import ANYWHERE, Console


def test_writes_reads_and_erases_on_one_connection(installed_board: Board) -> None:
    data = os.urandom(5000)
    with flasher.connect(installed_board.url) as chip:
        chip.write(ANYWHERE, [(0x100000, data), (0x200000, b"odd")])
        assert chip.read(0x100000, 5000) == data
        assert chip.read(0x200000, 4) == b"odd\xff"
        chip.write(ANYWHERE, [(0x100000, b"\xff" * 4096)])
        assert chip.mac() == installed_board.mac.hex(":")
    assert installed_board.flash.read(0x100000, 5000) == b"\xff" * 4096 + data[4096:]


def test_reset_starts_the_application_and_loses_none_of_its_words(installed_board: Board) -> None:
    with flasher.connect(installed_board.url) as chip:
        chip.reset()
        lines = []
        for line in chip.lines(Deadline.after(10)):
            lines.append(line)
            if line.startswith(b"standin pid="):
                break
        assert lines[0].startswith(b"ets Jul 29 2019")
        assert any(b"rst:0x1 (POWERON_RESET)" in line for line in lines)


def test_reset_is_over_when_the_rom_has_said_so(
    installed_board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("esptool held EN for a tenth of a second")

    monkeypatch.setattr(esptool, "reset_chip", never)
    monkeypatch.setattr("esptool.reset.ClassicReset.reset", never)
    for chip_name in ("auto", "esp32"):
        with flasher.connect(installed_board.url, chip=chip_name) as chip:
            chip.reset()
            assert chip.mac() == installed_board.mac.hex(":")
            chip.reset()


def test_resets_of_esptool_at_once_take_none_of_its_waits_and_leave_what_a_user_has_configured(
    installed_board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("esptool held EN for a tenth of a second")

    monkeypatch.setattr("esptool.reset.ClassicReset.reset", never)
    monkeypatch.setattr("esptool.reset.HardReset.reset", never)
    with resets.at_once():
        esp = esptool.detect_chip(installed_board.url)
        assert esp.read_mac() == tuple(installed_board.mac)
        esp.hard_reset()
        esp._port.close()
        with resets.at_once():
            pass
        assert set(esptool.loader.cfg) == {"custom_reset_sequence", "custom_hard_reset_sequence"}
    assert not set(esptool.loader.cfg)
    monkeypatch.setitem(esptool.loader.cfg, "custom_reset_sequence", "D0|R1|W2|D1|R0|D0")
    with resets.at_once():
        assert esptool.loader.cfg["custom_reset_sequence"] == "D0|R1|W2|D1|R0|D0"
    assert set(esptool.loader.cfg) == {"custom_reset_sequence"}


@pytest.mark.parametrize("chip_name", ["auto", "esp32"])
def test_chip_whose_rom_is_not_heard_is_reset_as_esptool_does(
    chip_name: str, installed_board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resets, "_heard", lambda line, words: b"")
    with flasher.connect(installed_board.url, chip=chip_name) as chip:
        assert chip.mac() == installed_board.mac.hex(":")
        chip.reset()
        assert any(line.startswith(b"standin pid=") for line in chip.lines(Deadline.after(10)))


def test_chip_that_has_been_heard_and_does_not_answer_is_reset_once_more(
    installed_board: Board, standin: Path, tmp_path: Path
) -> None:
    faults = [parse_fault("drop byte=1 count=1000")]  # all five tries of esptool's to get an answer
    with Board(tmp_path / "deaf.bin", [standin], faults=faults) as board:
        with flasher.connect(board.url, chip="esp32") as chip:
            assert chip.mac() == board.mac.hex(":")
        assert board.traffic.to_chip_bytes > 1000


def test_lines_end_with_their_time(installed_board: Board) -> None:
    with flasher.connect(installed_board.url) as chip:
        assert list(chip.lines(Deadline.after(0.05))) == []


def test_chip_is_reset_into_download_again_after_it_ran(installed_board: Board) -> None:
    with flasher.connect(installed_board.url) as chip:
        chip.write(ANYWHERE, [(0x100000, b"one.")])
        chip.reset()
        assert chip.read(0x100000, 4) == b"one."


def test_connection_of_somebody_else_is_used(installed_board: Board) -> None:
    with esptool.detect_chip(installed_board.url) as esp:
        chip = flasher.Chip(esp)
        chip.write(ANYWHERE, [(0x100000, b"mine")])
        chip.reset()
    assert installed_board.flash.read(0x100000, 4) == b"mine"


def test_stub_is_waited_for_on_a_port_whose_owner_is_impatient(
    installed_board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited_s = []
    run_stub = esptool.run_stub

    def run_stub_watched(rom: esptool.ESPLoader) -> esptool.ESPLoader:
        waited_s.append(rom._port.timeout)  # so long for the stub's greeting; QEMU's esp32s3 takes 0.2 s
        return run_stub(rom)

    monkeypatch.setattr(esptool, "run_stub", run_stub_watched)
    with esptool.detect_chip(installed_board.url) as esp:
        chip = flasher.Chip(esp)
        chip.port.timeout = 0.05  # as pytest-embedded has it
        chip.write(ANYWHERE, [(0x100000, b"mine")])
    assert waited_s == [3]


def test_words_of_esptool_go_to_the_log_and_nowhere_else(
    installed_board: Board, capfd: pytest.CaptureFixture[str]
) -> None:
    said: list[str] = []
    with flasher.connect(installed_board.url, log=said.append) as chip:
        chip.write(ANYWHERE, [(0x100000, b"data")])
        chip.reset()
    assert any("Hash of data verified." in line for line in said)
    assert not any("no-reset" in line for line in said)
    assert not any("\n" in line or "\x1b" in line or "[bold" in line for line in said)
    with flasher.connect(installed_board.url) as chip:
        chip.reset()
    assert capfd.readouterr() == ("", "")


def test_esptool_elsewhere_still_prints(installed_board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    with flasher.connect(installed_board.url) as chip:
        chip.reset()
    esptool.main(["--port", installed_board.url, "read-mac"])
    assert "MAC:" in capsys.readouterr().out
    esptool.main(["--trace", "--port", installed_board.url, "read-mac"])
    assert "0707122055555555" in "".join(capsys.readouterr().out.split())  # SYNC


def test_two_boards_in_two_threads_keep_their_logs_apart(
    installed_board: Board, standin: Path, tmp_path: Path
) -> None:
    mac = bytes.fromhex("240ac4aabbcc")
    logs: dict[str, list[str]] = {"first": [], "second": []}

    def flash(name: str, url: str) -> None:
        with flasher.connect(url, log=logs[name].append) as chip:
            chip.write(ANYWHERE, [(0x100000, os.urandom(3000))])

    with Board(tmp_path / "second.bin", [standin], mac=mac) as second:
        threads = [
            threading.Thread(target=flash, args=("first", installed_board.url)),
            threading.Thread(target=flash, args=("second", second.url)),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for log in logs.values():
        assert sum("Hash of data verified." in line for line in log) == 1


def test_baud_rate_is_raised_only_where_bytes_take_time(
    installed_board: Board, standin: Path, tmp_path: Path
) -> None:
    with flasher.connect(installed_board.url) as chip:
        chip.write(ANYWHERE, [(0x100000, os.urandom(4096))])
    assert "CHANGE_BAUDRATE" not in installed_board.commands
    with flasher.connect(installed_board.url, flash_baud=9600) as chip:  # for a bad line
        chip.mac()
        assert chip.port.baudrate == 9600
    with Board(tmp_path / "slow.bin", [standin], faults=[parse_fault("real-time")]) as board:
        with flasher.connect(board.url, chip="esp32") as chip:
            chip.mac()
            assert chip.port.baudrate == flasher.FLASH_BAUD
            chip.reset()
            assert chip.port.baudrate == 115200
        assert board.commands["CHANGE_BAUDRATE"] == 1  # the other way EN does it


def test_unknown_chip_is_refused_before_the_port_is_opened(installed_board: Board) -> None:
    with pytest.raises(InputError) as caught, flasher.connect("rfc2217://127.0.0.1:1", chip="esp64"):
        pass
    assert "esp32c3" in caught.value.hint


def test_other_chip_than_named_is_an_error_with_remedy(installed_board: Board) -> None:
    with (
        pytest.raises(DeviceError, match="This chip is ESP32, not ESP32-C3") as caught,
        flasher.connect(installed_board.url, chip="esp32c3"),
    ):
        pass
    assert "right one" in caught.value.hint


def test_write_beyond_the_flash_is_an_error_with_remedy(installed_board: Board) -> None:
    with flasher.connect(installed_board.url) as chip:
        with pytest.raises(DeviceError, match="not fit") as caught:
            chip.write(ANYWHERE, [(0x3FF000, bytes(8192))])
        assert "size of the board's flash" in caught.value.hint
        chip.write(ANYWHERE, [(0x3FF000, bytes(4096))])  # and the connection is of use still


def test_chip_that_does_not_answer_is_an_error_with_remedy(installed_board: Board) -> None:
    with flasher.connect(installed_board.url) as chip:
        chip.port.rts = True  # held in reset
        with pytest.raises(DeviceError, match="cannot read the flash") as caught:
            chip.read(0, 16)
        assert "--baud 115200" in caught.value.hint  # it answered when it was connected


def test_port_is_free_again_afterwards(installed_board: Board) -> None:
    with pytest.raises(ZeroDivisionError), flasher.connect(installed_board.url):
        raise ZeroDivisionError
    console = Console(installed_board.url)
    console.close()
    with pytest.raises(PortError), flasher.connect("/dev/ttyFCTRY0"):
        pass


def test_nothing_is_written_outside_of_what_was_checked(installed_board: Board) -> None:
    before = installed_board.flash.path.read_bytes()
    permit = Permit([range(0x10000, 0x11000), range(0x12000, 0x13000)])
    with flasher.connect(installed_board.url) as chip:
        for address, size in ((0xF000, 1), (0x10FFF, 2), (0x10000, 0x3000), (0x11800, 4)):
            with pytest.raises(DeviceError, match="nobody has checked"):
                chip.write(permit, [(0x10000, b"inside"), (address, b"x" * size)])
    assert installed_board.flash.path.read_bytes() == before
