"""The QEMU board: with a stand-in for QEMU everywhere, with QEMU itself where it is installed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fctry.boards import QemuBoard
from fctry.boards.chip.chips import CHIPS, Qemu
from fctry.boards.chip.qemu_efuses import mac_crc8, make_efuses
from fctry.boards.cpu import qemu_machine
from fctry.cli.main import main
from fctry.errors import BoardError, InputError
from tests.boards.kit import Console, RunEsptool, wait_until_gone

MAC = bytes.fromhex("240ac4010203")
QEMU: dict[str, Qemu] = {name: chip.qemu for name, chip in CHIPS.items() if chip.qemu}

STANDIN = """
import os, signal, sys, time
def write(*_):
    time.sleep(0.1)
    flash = sys.argv[sys.argv.index("-drive") + 1].removeprefix("file=").removesuffix(",if=mtd,format=raw")
    with open(flash.replace(",,", ","), "r+b") as flash:
        flash.write(b"written")
    sys.exit()
if sys.argv[1:] == ["-machine", "help"]:
    print("Supported machines are:\\nesp32                Espressif ESP32 machine")
    sys.exit()
print("started", *sys.argv[1:], flush=True)
while True:
    received = os.read(0, 4096)
    if not received:
        time.sleep(60)  # as QEMU, which does not mind
    if b"pid" in received:
        print("pid", os.getpid(), flush=True)
    if b"write" in received:
        signal.signal(signal.SIGTERM, write)  # so late
    if b"deaf" in received:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if b"exit" in received:
        sys.exit(7)
    os.write(1, b"echo " + received)
"""


@pytest.fixture
def qemu_standin(tmp_path: Path) -> str:
    program = tmp_path / "qemu, a stand-in"
    program.write_text(f"#!{sys.executable} -ISs\n{STANDIN}")
    program.chmod(0o755)
    return str(program)


@pytest.fixture
def qemu_board(qemu_standin: str, tmp_path: Path) -> Iterator[QemuBoard]:
    with QemuBoard(tmp_path / "flash,1.bin", qemu=qemu_standin, mac=MAC) as board:
        yield board


@pytest.fixture
def monitor(qemu_board: QemuBoard) -> Iterator[Console]:
    opened = Console(qemu_board.url)
    yield opened
    opened.close()


def test_en_starts_qemu_with_flash_and_efuses_in_files(monitor: Console, tmp_path: Path) -> None:
    monitor.reset()
    options = monitor.expect(r"started (.*)\n")[1].decode()
    assert options.startswith("-machine esp32 ")
    assert f"file={tmp_path}/flash,,1.bin,if=mtd,format=raw" in options
    assert f"file={tmp_path}/flash,,1.bin.efuses,if=none,format=raw,id=efuse" in options
    assert "strap_mode" not in options
    assert (tmp_path / "flash,1.bin").read_bytes() == b"\xff" * (4 << 20)


def test_io0_chooses_the_strapping_mode(monitor: Console) -> None:
    monitor.reset(into_download=True)
    monitor.expect(r"started .*driver=esp32\.gpio,property=strap_mode,value=0x0f")


def test_uart_passes_in_both_directions(monitor: Console) -> None:
    monitor.ask("hello", "echo hello")


@pytest.mark.parametrize("loader", ["ROM", "OHAI"])
def test_input_of_a_loader_arrives_whole_and_in_order(loader: str, monitor: Console) -> None:
    monitor.reset(into_download=True)
    monitor.ask(loader, loader)  # comes back, and so the stub seems to greet
    sent = "".join(f"{number:04x}" for number in range(50))
    monitor.send(sent)
    received = b""
    while re.sub(rb"echo |\n", b"", received).decode() != sent:  # in as many pieces as it likes
        received += monitor.expect("(?s).+")[0]


def test_held_reset_has_no_qemu(monitor: Console) -> None:
    monitor.ask("hello", "echo hello")
    monitor.line.rts = True
    monitor.send("nobody")
    monitor.line.timeout = 0.2
    assert monitor.line.read(1) == b""
    monitor.line.rts = False
    monitor.expect("started")


def test_end_of_qemu_is_said_and_en_starts_it_again(monitor: Console) -> None:
    monitor.ask("exit", "QEMU has ended with status 7; EN starts it again")
    monitor.reset()
    monitor.expect("started")


def test_what_the_guest_has_written_is_in_the_flash_when_en_falls(monitor: Console, tmp_path: Path) -> None:
    monitor.ask("write", "echo write")
    monitor.reset()
    monitor.expect("started")
    assert (tmp_path / "flash,1.bin").read_bytes().startswith(b"written")


def test_qemu_that_does_not_end_is_killed(monitor: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qemu_machine, "GRACE_S", 0.1)
    monitor.reset()
    pid = int(monitor.ask("pid", r"pid (\d+)")[1])
    monitor.ask("deaf", "echo deaf")
    monitor.reset()
    wait_until_gone(pid)


def test_killed_board_leaves_no_qemu(qemu_standin: str, tmp_path: Path) -> None:
    command = [
        "board",
        "--cpu",
        "qemu",
        "--qemu",
        qemu_standin,
        "--flash",
        tmp_path / "flash.bin",
        "--port",
        "0",
    ]
    with subprocess.Popen(
        [sys.executable, "-m", "fctry", *command], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        console = Console(process.stdout.readline().removeprefix("listening on ").strip())
        pid = int(console.ask("pid", r"pid (\d+)")[1])
        process.kill()
    wait_until_gone(pid)
    console.close()


def test_closed_board_leaves_no_qemu(qemu_board: QemuBoard, monitor: Console) -> None:
    pid = int(monitor.ask("pid", r"pid (\d+)")[1])
    qemu_board.close()
    wait_until_gone(pid)


def test_flash_file_belongs_to_one_board(qemu_board: QemuBoard, qemu_standin: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="another board uses this flash file"):
        QemuBoard(tmp_path / "flash,1.bin", qemu=qemu_standin)
    qemu_board.close()
    QemuBoard(tmp_path / "flash,1.bin", qemu=qemu_standin).close()


def test_efuse_file_that_is_there_is_kept(qemu_standin: str, tmp_path: Path) -> None:
    (tmp_path / "mine").write_bytes(b"mine")
    QemuBoard(tmp_path / "flash.bin", qemu=qemu_standin, efuses=tmp_path / "mine").close()
    assert (tmp_path / "mine").read_bytes() == b"mine"


def test_efuse_file_that_cannot_be_written_is_refused(qemu_standin: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="efuses: cannot write"):
        QemuBoard(tmp_path / "flash.bin", qemu=qemu_standin, efuses=tmp_path / "absent" / "efuses")
    QemuBoard(tmp_path / "flash.bin", qemu=qemu_standin).close()  # and the flash is not held


def test_absent_qemu_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(BoardError, match="cannot run") as caught:
        QemuBoard(tmp_path / "flash.bin", qemu=str(tmp_path / "no-qemu"))
    assert "idf_tools.py install qemu-xtensa" in caught.value.hint


def test_qemu_that_does_not_know_the_chip_is_refused(qemu_standin: str, tmp_path: Path) -> None:
    with pytest.raises(BoardError, match="emulates no esp32c3"):
        QemuBoard(tmp_path / "flash.bin", qemu=qemu_standin, chip="esp32c3")


@pytest.mark.parametrize(
    ("options", "message"), [({"chip": "esp32c6"}, "no esp32c6"), ({"flash_size_bytes": 1 << 20}, "no flash")]
)
def test_what_qemu_cannot_do_is_refused(options: dict[str, object], message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        QemuBoard(tmp_path / "flash.bin", **options)


def test_command_refuses_an_application(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(["board", "--cpu", "qemu", "--app", str(tmp_path), "--flash", str(tmp_path / "flash.bin")]) == 1
    )
    assert "flash it with esptool" in capsys.readouterr().err


@pytest.mark.parametrize("chip", QEMU)
def test_efuses_hold_the_mac_address(chip: str) -> None:
    layout = QEMU[chip].efuses
    content = make_efuses(layout, MAC)
    assert len(content) == layout.size_bytes
    start = layout.mac_word * 4
    assert content[start : start + 6] == MAC[::-1]
    assert content[start + 6] == (mac_crc8(MAC) if layout.has_mac_crc else 0)


def test_mac_crc_is_that_of_a_real_chip() -> None:
    # Source: espefuse's documentation, "summary" of an ESP32: MAC 94:b9:7e:5a:6e:58, CRC 0xe2 OK
    assert mac_crc8(bytes.fromhex("94b97e5a6e58")) == 0xE2


# -- with QEMU itself


@pytest.fixture
def real_board(chip: str, tmp_path: Path) -> Iterator[QemuBoard]:
    program = QEMU[chip].program
    if shutil.which(program) is None:
        pytest.skip(f"needs {program}")
    try:
        board = QemuBoard(tmp_path / "flash.bin", chip=chip, mac=MAC)
    except BoardError as error:
        pytest.skip(str(error))
    with board:
        yield board


@pytest.mark.parametrize(
    "chip", ["esp32"]
)  # the UART that QEMU has for the others loses bytes on a busy machine
def test_esptool_writes_and_reads_through_the_real_rom(
    real_board: QemuBoard, tmp_path: Path, run_esptool: RunEsptool
) -> None:
    image = tmp_path / "image.bin"
    image.write_bytes(os.urandom(5000) + bytes(5000))
    said = run_esptool(real_board, "write-flash", "0x10000", image)
    assert f"MAC:                {MAC.hex(':')}" in said
    assert "Hash of data verified." in said
    run_esptool(real_board, "read-flash", "0x10000", "10000", tmp_path / "read.bin")
    assert (tmp_path / "read.bin").read_bytes() == image.read_bytes()
    assert (tmp_path / "flash.bin").read_bytes()[0x10000 : 0x10000 + 10000] == image.read_bytes()


@pytest.mark.parametrize("chip", QEMU)
def test_rom_boots_the_flash_and_says_so(real_board: QemuBoard) -> None:
    console = Console(real_board.url)
    console.reset()
    console.expect(r"rst:0x1 \(POWERON", timeout_s=60)
    console.expect(r"invalid header: 0xffffffff|flash read err", timeout_s=60)
    console.close()
