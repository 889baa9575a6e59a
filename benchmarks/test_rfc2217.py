"""Flashing over the network: the fast RFC2217 client against pyserial's own.

One board in a process of its own; esptool's own command line writes the same factory image, of a partition of 24 KiB,
through either client.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import esptool
import pytest
import serial
from pytest_benchmark.fixture import BenchmarkFixture

from fctry import nvs, serialport

IMAGE_BYTES = 24 * 1024
ITEMS = [
    nvs.Item("fctryNamespace", "serial_number", nvs.ItemType.STR, "164589345735"),
    nvs.Item("fctryNamespace", "mac_addr", nvs.ItemType.STR, "0A:0B:0C:0D:0E:0F"),
]


@pytest.fixture
def board_url(tmp_path: Path) -> Iterator[str]:
    command = [
        sys.executable,
        "-m",
        "fctry",
        "board",
        "--flash",
        str(tmp_path / "flash.bin"),
        "--port",
        "0",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().removeprefix("listening on ").strip()
        process.terminate()


@pytest.mark.timeout(300)
@pytest.mark.filterwarnings("ignore:set:DeprecationWarning")  # pyserial 3.5 names its threads the old way
def test_write_flash_of_24_kib(
    board_url: str,
    tmp_path: Path,
    benchmark: BenchmarkFixture,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    image = tmp_path / "image.bin"
    image.write_bytes(nvs.encode(ITEMS, IMAGE_BYTES))

    def write_flash() -> float:
        began = time.perf_counter()
        esptool.main(["--chip", "esp32", "--port", board_url, "write-flash", "0x10000", str(image)])
        return time.perf_counter() - began

    serialport.register()
    benchmark.pedantic(write_flash, rounds=5, warmup_rounds=1)
    fast_s = benchmark.stats.stats.median
    monkeypatch.setattr(serial, "protocol_handler_packages", ["serial.urlhandler"])
    own_s = write_flash()
    with capfd.disabled():
        print(
            f"\nesptool write-flash, 24 KiB over RFC2217: pyserial's own client {own_s:.1f} s, "
            f"fctry's {fast_s:.2f} s: {own_s / fast_s:.0f} times faster"
        )
