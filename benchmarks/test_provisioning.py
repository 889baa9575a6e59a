"""From the ledger's identity to the proof: against what the article tells people to do, and many boards at once.

Ratios of one run, on native boards in processes of their own.
"""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import esptool
import pytest
from benchmarks.boards import made, served
from benchmarks.stations import job_in

from fctry import serialport
from fctry.device import flasher
from fctry.device.chip_ids import flash_ids_of
from fctry.device.console import Console
from fctry.device.deadline import Deadline
from fctry.partitions.csv import read_csv
from fctry.provision import read_proof

ROOT = Path(__file__).parents[1]
FACTORY = read_csv(ROOT / "partitions.csv").find("fctry")
DEVICES, TURNS = 48, 3
SLOTS, BOARDS, SERVERS = 16, 208, 4

MONITOR = """
import serial, sys
if sys.argv[2]:
    import fctry.serialport
    fctry.serialport.register()
line = serial.serial_for_url(sys.argv[1], baudrate=115200, timeout=0.1, do_not_open=True)
line.dtr = line.rts = False
line.open()
line.rts = True
line.rts = False
text = b""
while b'"event":"end"' not in text:
    text += line.read(max(1, line.in_waiting))
assert b"164589345735" in text
line.close()
"""


def article(folder: Path, url: str, *, is_our_client: bool) -> list[float]:
    """The generator, esptool and a monitor script, each a process: seconds of each."""
    esptool_command = ["-m", "fctry", "esptool"] if is_our_client else ["-m", "esptool"]
    image = folder / "article.bin"
    took_s = []
    for arguments in (
        ["-m", "esp_idf_nvs_partition_gen", "generate", ROOT / "examples" / "device.csv", image, "0x6000"],
        [*esptool_command, "--chip", "esp32", "--port", url, "write-flash", hex(FACTORY.offset), image],
        ["-c", MONITOR, url, "yes" if is_our_client else ""],
    ):
        command = [sys.executable, *map(str, arguments)]
        began_s = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        took_s.append(time.perf_counter() - began_s)
    return took_s


def station(folder: Path, urls: list[str]) -> subprocess.Popen[str]:
    """One that is ready."""
    command = [sys.executable, "-m", "benchmarks.stations", str(folder), *urls]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def begin(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def seconds_of(process: subprocess.Popen[str]) -> list[float]:
    """For each of its devices."""
    said, _ = process.communicate()
    assert process.returncode == 0
    return [float(line) for line in said.split()]


@pytest.mark.timeout(300)
def test_one_device_against_the_article_s_three_processes(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    job_in(tmp_path)
    fast_s: list[list[float]] = []
    ours_s: list[float] = []
    with served(tmp_path / "boards", DEVICES) as urls, served(tmp_path / "articles", 1) as (url,):
        for turn in range(TURNS):
            fast_s.append(article(tmp_path, url, is_our_client=True))
            began_s = time.perf_counter()
            process = station(tmp_path, urls[turn::TURNS])
            start_s = time.perf_counter() - began_s  # once for a run of devices
            begin(process)
            devices_s = seconds_of(process)
            ours_s.append(median(devices_s) + start_s / DEVICES)
        own_s = sum(article(tmp_path, url, is_our_client=False))
    ours, parts_s = min(ours_s), min(fast_s, key=sum)
    fast = sum(parts_s)
    parts = " + ".join(f"{one:.2f}" for one in parts_s)
    with capfd.disabled():
        print(
            f"\none device: three processes {own_s:.1f} s with pyserial's client, {fast:.2f} s ({parts}) with ours; "
            f"fctry {ours:.3f} s (one of a run of {DEVICES}): {own_s / ours:.0f} and {fast / ours:.1f} times faster"
        )
    assert own_s / ours >= 40
    assert fast / ours >= 4


def test_bytes_commands_and_erasures_are_few(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Against the least that the protocol needs for the same image.

    That is, on the same board: connect, start the stub, attach the flash and read MAC address and flash id, each as
    esptool does it, and the latter twice, as answers carry no checksum; the digest of the blank partition; the image's
    compressed sectors that are not blank; the digest of the whole; the report and the proofs.
    """
    with made(tmp_path, 0) as board, job_in(tmp_path / "station").opened() as job:
        run, record = job.take(board.url)
        assert not record.failed
        ours = (
            board.traffic.to_chip_bytes + board.traffic.to_host_bytes,
            sum(board.commands.values()),
            sum(board.flash.wear(at).erases for at in range(0, board.flash.size_bytes, 4096)),
        )
    assert run.image
    data = run.image.data.rstrip(b"\xff")
    data = data.ljust(-(-len(data) // 4096) * 4096, b"\xff")
    with made(tmp_path, 1) as board:
        with flasher.connect(board.url, chip="esp32") as chip:
            with chip._esptool("do the least") as stub:
                for _ in flash_ids_of(stub, 2):
                    stub.read_mac()
                stub.flash_md5sum(FACTORY.offset, FACTORY.size_bytes)
                _write_deflated(stub, FACTORY.offset, data)
                stub.flash_md5sum(FACTORY.offset, FACTORY.size_bytes)
            chip.reset()
            assert read_proof(Console(chip), run.image.items, FACTORY, Deadline.after(20)).is_proven
        least = (
            board.traffic.to_chip_bytes + board.traffic.to_host_bytes,
            sum(board.commands.values()),
            sum(board.flash.wear(at).erases for at in range(0, board.flash.size_bytes, 4096)),
        )
    with capfd.disabled():
        print(
            "\none device: "
            + ", ".join(
                f"{our} {name}, at least {needed}: {our / needed:.2f}"
                for name, our, needed in zip(
                    ("bytes on the wire", "commands", "erased sectors"), ours, least, strict=True
                )
            )
        )
    assert all(our <= 1.2 * needed for our, needed in zip(ours, least, strict=True))


def _write_deflated(stub: esptool.ESPLoader, address: int, data: bytes) -> None:
    import zlib

    packed = zlib.compress(data, 9)
    stub.flash_defl_begin(len(data), len(packed), address)
    stub.flash_defl_block(packed, 0)
    stub.flash_defl_finish(reboot=False)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("faults", [["real-time"], []], ids=["real time", "in no time"])
def test_sixteen_boards_at_once_and_two_hundred_on_one_station(
    faults: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Boards whose wire and flash take their time wait for them as real ones do; of others all is work of two cores."""
    job_in(tmp_path)
    each = BOARDS // SERVERS
    with ExitStack() as stack:
        ports = [
            port
            for server in range(SERVERS)
            for port in stack.enter_context(served(tmp_path / "boards", each, *faults, first=server * each))
        ]
        ports = [port for server in range(each) for port in ports[server::each]]  # all servers at work
        alone, rest = ports[:8], ports[8:]
        process = station(tmp_path, alone)
        begin(process)
        alone_s = median(seconds_of(process))
        stations = [station(tmp_path, rest[slot::SLOTS]) for slot in range(SLOTS)]
        began_s = time.perf_counter()
        for process in stations:
            begin(process)
        for process in stations:
            seconds_of(process)
        together_s = (time.perf_counter() - began_s) / len(rest)
    with job_in(tmp_path).opened() as job:
        devices = list(job.ledger.devices())
    assert [one.state for one in devices] == ["proven"] * BOARDS
    with capfd.disabled():
        print(
            f"\n{SLOTS} boards at once, {'in real time' if faults else 'which take no time'}: {1 / together_s:.1f} "
            f"devices a second, one at a time {1 / alone_s:.1f}: {alone_s / together_s:.1f} times; {BOARDS} boards on "
            "one station without an error"
        )
    if faults:
        assert alone_s / together_s >= 8


@pytest.mark.timeout(120)
def test_in_real_time_it_is_not_slower_than_write_flash_and_a_boot(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    serialport.register()
    ours_s, bare_s, theirs_s, image = [], [], [], tmp_path / "image.bin"
    with served(tmp_path / "boards", 6, "real-time") as urls, job_in(tmp_path / "station").opened() as job:
        for ours, theirs in zip(urls[::2], urls[1::2], strict=True):
            began_s = time.perf_counter()
            run, record = job.take(ours)
            ours_s.append(time.perf_counter() - began_s)
            assert not record.failed
            assert run.image
            image.write_bytes(run.image.data)
            options = ["--chip", "esp32", "--port", theirs, "--baud", "460800"]
            arguments = [*options, "write-flash", hex(FACTORY.offset), str(image)]
            began_s = time.perf_counter()
            esptool.main(arguments)
            bare_s.append(time.perf_counter() - began_s + boot_s(theirs))
            began_s = time.perf_counter()
            command = [sys.executable, "-m", "fctry", "esptool", *arguments]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            theirs_s.append(time.perf_counter() - began_s + boot_s(theirs))
    ours, bare, theirs = min(ours_s), min(bare_s), min(theirs_s)
    with capfd.disabled():
        print(
            f"\nin real time: fctry provision {ours:.2f} s; esptool write-flash and a boot {theirs:.2f} s, "
            f"{bare:.2f} s without the start of its process"
        )
    assert ours <= bare < theirs


def boot_s(url: str) -> float:
    """From the release of EN to the end of the report."""
    line = serialport.open_port(url)
    try:
        line.dtr = False
        line.rts = True
        began_s = time.perf_counter()
        line.rts = False
        text, line.timeout = b"", 0.1
        while b'"event":"end"' not in text:
            text += line.read(max(1, line.in_waiting))
        return time.perf_counter() - began_s
    finally:
        line.close()
