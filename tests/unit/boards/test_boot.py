"""The boot loader: which application runs, and what is said when none does."""

from __future__ import annotations

import hashlib
import os
import re
import struct
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fctry.boards.chip.app_image import AppDescription, pack
from fctry.boards.chip.apps import App
from fctry.boards.chip.boot import BootLog, choose_app, rom_text
from fctry.boards.chip.chips import CHIPS
from fctry.boards.chip.nor_flash import NorFlash
from fctry.boards.chip.otadata import ota_select_crc
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
    return choose_app(flash, CHIPS[chip], apps, log), "\n".join(log.lines)


def test_factory_application_is_chosen(flash: NorFlash) -> None:
    write_table(flash, NVS, FACTORY)
    flash.program(FACTORY.offset, image("one"))
    app, log = choose(flash)
    assert app == APPS["one"]
    assert "I (0) boot:  1 factory          factory app      00 00 00010000 00010000" in log
    assert log.endswith("I (0) boot: Loaded app from partition at offset 0x10000")


ROWS = binary.pack(PartitionTable((NVS, FACTORY)))
MD5_ROW = ROWS[64:96]
BEYOND = binary.pack(
    PartitionTable((Partition("a", APP, 0, 0x10000, 0x100000), Partition("b", APP, 0, 0x110000, 0x1000)))
)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "partition 0 invalid magic number 0xffff"),
        (b"\xe9\x01", "partition 0 invalid magic number 0x1e9"),
        (ROWS[:32] + b"\x7f\x50" + ROWS[34:], "partition 1 invalid magic number 0x507f"),
        (ROWS[:12] + b"N" + ROWS[13:], "Incorrect MD5 checksum"),
        (ROWS[:96] + MD5_ROW, "Only one MD5 checksum is allowed"),
        (BEYOND, "partition 0 invalid - offset 0x10000 size 0x100000 exceeds flash chip size 0x100000"),
        (BEYOND[32:], "partition 0 invalid - offset 0x110000 size 0x1000 exceeds flash chip size 0x100000"),
        (ROWS[:32] * 96, "partition table has no terminating entry, not valid"),
    ],
)
def test_table_is_refused_in_the_words_of_esp_idf(flash: NorFlash, data: bytes, message: str) -> None:
    flash.program(0x8000, data)
    app, log = choose(flash)
    assert app is None
    assert log.splitlines()[-3:] == [
        f"E (0) flash_parts: {message}",
        "E (0) boot: Failed to verify partition table",
        "E (0) boot: load partition table error!",
    ]


@pytest.mark.parametrize(
    ("at", "data", "message"),
    [
        (1, b"\x11", "image at 0x10000 segment count 17 exceeds max 16"),
        (24 + 4, b"\x02\x01", "invalid segment length 0x102"),
        (24 + 4, b"\x00\x00\x02", "Checksum failed. Calculated 0x6d read 0xff"),
        (1, b"\x00", "Checksum failed. Calculated 0xef read 0x0"),
        (-1, b"\x00", "Image hash failed - image is corrupt"),
    ],
)
def test_image_is_refused_in_the_words_of_esp_idf(
    flash: NorFlash, at: int, data: bytes, message: str
) -> None:
    write_table(flash, FACTORY)
    broken = bytearray(image("one"))
    at %= len(broken)
    broken[at : at + len(data)] = data
    flash.program(FACTORY.offset, bytes(broken))
    assert (
        f"E (0) esp_image: {message}\nE (0) boot: Factory app partition is not bootable" in choose(flash)[1]
    )


def test_image_longer_than_its_partition_is_refused_behind_its_checksum(flash: NorFlash) -> None:
    write_table(flash, replace(FACTORY, size_bytes=0x100))
    flash.program(FACTORY.offset, image("one"))
    assert "E (0) esp_image: Image length 336 doesn't fit in partition length 256\n" in choose(flash)[1]


def test_chip_of_an_image_is_looked_at_before_its_segments(flash: NorFlash) -> None:
    write_table(flash, FACTORY)
    flash.program(FACTORY.offset, image("one", "esp32c3")[:100])
    assert "E (0) boot_comm: mismatch chip ID, expected 0, found 5\n" in choose(flash)[1]


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
    assert re.search(r"E \(0\) esp_image: Checksum failed\. Calculated 0x\w+ read 0x\w+$", log, re.MULTILINE)
    assert "E (0) boot: Factory app partition is not bootable" in log


def test_application_for_another_chip_is_named(flash: NorFlash) -> None:
    write_table(flash, FACTORY)
    flash.program(FACTORY.offset, image("one", "esp32c3"))
    app, log = choose(flash)
    assert app is None
    assert "mismatch chip ID, expected 0, found 5" in log
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


TEST = Partition("test", APP, 0x20, 0x40000, 0x10000)
ZEROED = bytes(0x2000)  # an otadata partition that is not blank, and no otadata


@pytest.mark.parametrize(
    ("with_factory", "otadata", "chosen", "said"),
    [
        (True, b"", "one", "I (0) boot: Defaulting to factory image"),
        (False, b"", "two", "I (0) boot: No factory image, trying OTA 0"),
        (True, ZEROED, "one", "E (0) boot: ota data partition invalid, falling back to factory"),
        (
            False,
            ZEROED,
            "two",
            "E (0) boot: ota data partition invalid and no factory, will try all partitions",
        ),
    ],
    ids=["blank", "blank, no factory", "invalid", "invalid, no factory"],
)
def test_otadata_that_selects_nothing_is_told_as_esp_idf_does(
    with_factory: bool, otadata: bytes, chosen: str, said: str, flash: NorFlash
) -> None:
    write_all(flash, with_factory=with_factory)
    flash.program(OTADATA.offset, otadata)
    app, log = choose(flash)
    assert app == APPS[chosen]
    assert [line for line in log.splitlines() if "ota data" in line or "factory image" in line] == [said]


def test_blank_otadata_without_factory_gets_the_sequence_of_what_boots(flash: NorFlash) -> None:
    write_all(flash, with_factory=False)
    flash.program(OTA[0].offset, b"\0")  # so the second one boots
    app, log = choose(flash)
    assert app == APPS["three"]
    assert log.endswith("I (0) boot: Set actual ota_seq=2 in otadata[0]")
    written = struct.pack("<I20sII", 2, b"\xff" * 20, 2, ota_select_crc(2))
    assert flash.read(OTADATA.offset, 0x2000) == written.ljust(0x2000, b"\xff")
    app, log = choose(flash)  # from now on it is selected
    assert app == APPS["three"]
    assert "not bootable" not in log


def test_otadata_between_sectors_is_written_as_esp_idf_does(flash: NorFlash) -> None:
    write_table(flash, replace(OTADATA, offset=0xD100), OTA[0])
    flash.program(OTA[0].offset, image("one"))
    assert choose(flash)[0] == APPS["one"]
    assert flash.read(0xD100, 4) == b"\1\0\0\0"


@pytest.mark.parametrize("with_factory", [True, False])
def test_otadata_is_not_written_where_esp_idf_leaves_it(with_factory: bool, flash: NorFlash) -> None:
    write_all(flash, with_factory=with_factory)
    flash.program(OTADATA.offset, b"" if with_factory else ZEROED)
    before = flash.read(OTADATA.offset, 0x2000)
    assert choose(flash)[0] is not None
    assert flash.read(OTADATA.offset, 0x2000) == before


def test_sequence_zero_wraps_as_a_word_does(flash: NorFlash) -> None:
    third = Partition("ota_2", APP, 0x12, 0x40000, 0x10000)
    write_table(flash, OTADATA, FACTORY, *OTA, third)
    flash.program(OTA[0].offset, image("two"))
    write_otadata(flash, 0, 0)
    app, log = choose(flash)
    assert app == APPS["two"]  # 0xFFFFFFFF % 3
    assert "not bootable" not in log


def test_slots_that_leave_a_gap_are_counted_as_esp_idf_counts(flash: NorFlash) -> None:
    write_table(flash, OTADATA, Partition("ota_3", APP, 0x13, 0x20000, 0x10000))
    flash.program(0x20000, image("two"))
    app, log = choose(flash)
    assert app is None  # one slot, which is number 0, and that is none
    assert "No factory image, trying OTA 0" in log


def test_otadata_that_is_too_small_boots_nothing(flash: NorFlash) -> None:
    write_table(flash, Partition("otadata", DATA, 0, 0xD000, 0x1000), FACTORY)
    flash.program(FACTORY.offset, image("one"))
    app, log = choose(flash)
    assert app is None
    assert log.endswith("E (0) boot: ota_info partition size 4096 is too small (minimum 8192 bytes)")


def test_otadata_that_comes_around_4_gb_boots_nothing(flash: NorFlash) -> None:
    write_table(flash, Partition("otadata", DATA, 0, flash.size_bytes - 0x1000, 0xFFFFFFFF), FACTORY)
    flash.program(FACTORY.offset, image("one"))
    app, log = choose(flash)
    assert app is None
    assert log.endswith(
        "E (0) bootloader_flash: bootloader_mmap excess size ffffffff\n"
        "E (0) boot: bootloader_mmap(0xff000, 0xffffffff) failed"
    )


def test_test_application_is_the_last_resort(flash: NorFlash) -> None:
    write_table(flash, FACTORY, TEST)
    flash.program(TEST.offset, image("three"))
    app, log = choose(flash)
    assert app == APPS["three"]
    assert log.endswith(
        "E (0) boot: Factory app partition is not bootable\n"
        "I (0) boot: Loaded app from partition at offset 0x40000\n"
        "W (0) boot: Falling back to test app as only bootable partition"
    )
    flash.program(FACTORY.offset, image("one"))
    assert choose(flash)[0] == APPS["one"]


def test_test_application_that_is_damaged_is_no_resort(flash: NorFlash) -> None:
    write_table(flash, TEST)
    app, log = choose(flash)
    assert app is None
    assert "not bootable" not in log
    assert log.endswith("E (0) boot: No bootable app partitions in the partition table")


PLACES = st.one_of(
    st.sampled_from([0, 0x1000, 0xD000, 0xFF000, 0x100000, 0x100001, 0xFFFFFFFF]), st.integers(0, 0xFFFFFFFF)
)
PARTITIONS = st.builds(
    Partition,
    name=st.text(max_size=4),
    type=st.sampled_from([APP, DATA, 2, 3, 0xFF]),
    subtype=st.sampled_from([0, 1, 2, 0x10, 0x11, 0x1F, 0x20, 0x30, 0xFF]),
    offset=PLACES,
    size_bytes=PLACES,
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@example(partitions=[replace(OTADATA, offset=0x100000, size_bytes=0), OTA[0]], otadata=b"")
@given(partitions=st.lists(PARTITIONS, min_size=1, max_size=6), otadata=st.binary(max_size=64))
def test_no_table_in_flash_stops_the_board(
    partitions: list[Partition], otadata: bytes, flash: NorFlash
) -> None:
    flash.erase(0x8000, 0x1000)
    flash.erase(OTADATA.offset, OTADATA.size_bytes)
    write_table(flash, *partitions)
    flash.program(OTADATA.offset, otadata)
    app, log = choose(flash)
    assert app is None
    assert log.splitlines()[-1].startswith("E (0) boot: ")


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


def test_flash_file_that_is_cut_short_is_told_on_the_console(flash: NorFlash) -> None:
    os.truncate(flash.path, 0x9000)
    app, log = choose(flash)
    assert app is None
    write_table(flash, FACTORY)
    app, log = choose(flash)
    assert app is None
    assert "cut short" in log.splitlines()[-1]
