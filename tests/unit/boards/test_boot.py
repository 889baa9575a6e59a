"""The boot loader: which application runs, and what is said when none does."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping
from pathlib import Path

import pytest

from fctry.boards.chip.app_image import AppDescription, pack
from fctry.boards.chip.apps import App
from fctry.boards.chip.boot import BootLog, choose_app, ota_select_crc, rom_text
from fctry.boards.chip.chips import CHIPS
from fctry.boards.chip.nor_flash import NorFlash
from fctry.boards.reset import Boot, ResetReason
from fctry.partitions import binary
from fctry.partitions.table import Partition, PartitionTable

APP, DATA = 0, 1
NVS = Partition("nvs", DATA, 2, 0x9000, 0x4000)
OTADATA = Partition("otadata", DATA, 0, 0xD000, 0x2000)
FACTORY = Partition("factory", APP, 0, 0x10000, 0x10000)
OTA = [
    Partition(f"ota_{number}", APP, 0x10 + number, 0x20000 + number * 0x10000, 0x10000) for number in range(2)
]

APPS = {
    name: App(Path(f"/build/{name}.elf"), hashlib.sha256(name.encode()).digest())
    for name in ("one", "two", "three")
}
GIVEN: Mapping[bytes, App] = {app.sha256: app for app in APPS.values()}


def image(name: str, chip: str = "esp32") -> bytes:
    return pack(AppDescription(name, "1.0", "v5.5.5", hashlib.sha256(name.encode()).digest()), chip)


def write_table(flash: NorFlash, *partitions: Partition) -> None:
    flash.program(0x8000, binary.pack(PartitionTable(partitions)))


def write_otadata(
    flash: NorFlash, copy: int, sequence: int, state: int = 0xFFFFFFFF, crc: int | None = None
) -> None:
    entry = struct.pack(
        "<I20sII", sequence, b"\xff" * 20, state, ota_select_crc(sequence) if crc is None else crc
    )
    flash.program(OTADATA.offset + copy * 0x1000, entry)


def choose(flash: NorFlash, apps: Mapping[bytes, App] = GIVEN, chip: str = "esp32") -> tuple[App | None, str]:
    log = BootLog()
    return choose_app(flash.read, flash.size_bytes, CHIPS[chip], apps, log), "\n".join(log.lines)


def test_factory_application_is_chosen(flash: NorFlash) -> None:
    write_table(flash, NVS, FACTORY)
    flash.program(FACTORY.offset, image("one"))
    app, log = choose(flash)
    assert app == APPS["one"]
    assert "I (0) boot:  1 factory          factory app      00 00 00010000 00010000" in log
    assert log.endswith("I (0) boot: Loaded app from partition at offset 0x10000")


def test_erased_flash_has_no_table(flash: NorFlash) -> None:
    app, log = choose(flash)
    assert app is None
    assert "E (0) flash_parts: " in log
    assert "E (0) boot: Failed to verify partition table" in log
    assert log.endswith("E (0) boot: load partition table error!")


def test_table_with_a_wrong_md5_is_refused(flash: NorFlash) -> None:
    write_table(flash, NVS, FACTORY)
    flash.program(0x8000 + 12, b"N")  # clears bits in a name
    app, log = choose(flash)
    assert app is None
    assert "MD5" in log


def test_table_beyond_the_chip_is_refused(flash: NorFlash) -> None:
    write_table(flash, Partition("factory", APP, 0, 0x10000, flash.size_bytes))
    app, log = choose(flash)
    assert app is None
    assert "exceeds flash chip size 0x100000" in log


def test_application_that_was_not_given_is_named_with_a_remedy(flash: NorFlash) -> None:
    write_table(flash, FACTORY)
    flash.program(FACTORY.offset, image("stranger"))
    app, log = choose(flash)
    assert app is None
    assert "this board was not given the application stranger 1.0" in log
    assert hashlib.sha256(b"stranger").hexdigest()[:16] in log
    assert "/build/one.elf" in log
    assert "--app" in log
    assert "E (0) boot: Factory app partition is not bootable" in log
    assert "given (none)" in choose(flash, {})[1]


def test_erased_application_is_named(flash: NorFlash) -> None:
    write_table(flash, FACTORY)
    app, log = choose(flash)
    assert app is None
    assert "E (0) esp_image: image at 0x10000 has invalid magic byte (nothing flashed here?)" in log
    assert log.endswith("E (0) boot: No bootable app partitions in the partition table")


def test_damaged_application_is_named(flash: NorFlash) -> None:
    write_table(flash, FACTORY)
    flash.program(FACTORY.offset, image("one"))
    flash.program(FACTORY.offset + 80, b"\0")  # the first letter of the name
    app, log = choose(flash)
    assert app is None
    assert "E (0) esp_image: image at 0x10000: wrong checksum" in log


def test_application_for_another_chip_is_named(flash: NorFlash) -> None:
    write_table(flash, FACTORY)
    flash.program(FACTORY.offset, image("one", "esp32c3"))
    app, log = choose(flash)
    assert app is None
    assert "mismatch chip ID, expected esp32, found esp32c3" in log
    assert choose(flash, chip="esp32c3")[0] == APPS["one"]


def write_all(flash: NorFlash, *, with_factory: bool = True) -> None:
    factory = [FACTORY] if with_factory else []
    write_table(flash, OTADATA, *factory, *OTA)
    for partition, name in zip([FACTORY, *OTA], ("one", "two", "three"), strict=True):
        flash.program(partition.offset, image(name))


@pytest.mark.parametrize(
    ("entries", "chosen"),
    [
        ([], "one"),
        ([(0, 1)], "two"),
        ([(0, 1), (1, 2)], "three"),
        ([(0, 3), (1, 2)], "two"),
        ([(1, 4)], "three"),
        ([(0, 1), (1, 2, 0xFFFFFFFF, 0)], "two"),
        ([(0, 1), (1, 2, 3)], "two"),
        ([(0, 2, 4)], "one"),
    ],
    ids=[
        "blank",
        "first",
        "the higher sequence",
        "sequence beyond the slots",
        "second copy alone",
        "wrong CRC",
        "invalid state",
        "aborted state",
    ],
)
def test_otadata_selects_the_application(
    entries: list[tuple[int, ...]], chosen: str, flash: NorFlash
) -> None:
    write_all(flash)
    for entry in entries:
        write_otadata(flash, *entry)
    assert choose(flash)[0] == APPS[chosen]


def test_table_without_factory_application_tries_the_first_ota(flash: NorFlash) -> None:
    write_all(flash, with_factory=False)
    app, log = choose(flash)
    assert app == APPS["two"]
    assert "No factory image, trying OTA 0" in log


@pytest.mark.parametrize(("damaged", "chosen"), [((1,), "one"), ((0, 1), "three"), ((0, 1, 2), None)])
def test_next_application_is_tried_when_the_selected_one_is_damaged(
    damaged: tuple[int, ...], chosen: str | None, flash: NorFlash
) -> None:
    write_all(flash)
    write_otadata(flash, 0, 1)
    for number in damaged:
        flash.program([FACTORY, *OTA][number].offset, b"\0")
    app, log = choose(flash)
    assert app == (APPS[chosen] if chosen else None)
    assert "OTA app partition slot 0 is not bootable" in log


def test_ota_crc_is_that_of_esp_idf() -> None:
    # Source: ESP-IDF, esp_rom_crc32_le(UINT32_MAX, 1), as otatool.py writes it for sequence 1
    assert ota_select_crc(1) == 0x4743989A


@pytest.mark.parametrize("chip", CHIPS)
def test_rom_text_is_what_esptool_looks_for(chip: str) -> None:
    assert "waiting for download" in rom_text(CHIPS[chip], Boot.DOWNLOAD, ResetReason.POWER_ON)
    flash_boot = rom_text(CHIPS[chip], Boot.FLASH, ResetReason.SOFTWARE)
    assert "SPI_FAST_FLASH_BOOT" in flash_boot
    assert "rst:0xc" in flash_boot


def test_rom_text_of_the_esp32_is_the_roms() -> None:
    assert rom_text(CHIPS["esp32"], Boot.FLASH, ResetReason.POWER_ON) == (
        "ets Jul 29 2019 12:21:46\r\n\r\nrst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n"
    )
