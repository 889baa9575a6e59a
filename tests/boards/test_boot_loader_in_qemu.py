"""What the simulated boot loader says and writes is what ESP-IDF v5.5's own does in QEMU, with the same flash.

It needs Espressif's QEMU and a build of the firmware for esp32: `idf.py set-target esp32 build` in firmware/, or
`--build-dir` for another folder.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from fctry.boards import QemuBoard
from fctry.boards.chip.app_image import AppDescription, pack
from fctry.boards.chip.apps import App
from fctry.boards.chip.boot import BootLog, choose_app
from fctry.boards.chip.chips import CHIPS
from fctry.boards.chip.nor_flash import NorFlash
from fctry.boards.chip.otadata import ABORTED, INVALID, UNSET, OtaSelect, ota_select_crc
from fctry.partitions import binary
from fctry.partitions.table import APP, DATA, Partition, PartitionTable
from tests.boards.kit import Console

FLASH_BYTES = 4 << 20
BOOTLOADER_AT, TABLE_AT = 0x1000, 0x8000
HEADER_FLASH_SIZE_AT, FLASH_4MB = 3, 0x20
BOOT_TIMEOUT_S = 60

NVS = Partition("nvs", DATA, 2, 0x9000, 0x4000)
OTADATA = Partition("otadata", DATA, 0, 0xD000, 0x2000)
FACTORY = Partition("factory", APP, 0, 0x10000, 0x10000)
OTA_0 = Partition("ota_0", APP, 0x10, 0x20000, 0x10000)
OTA_1 = Partition("ota_1", APP, 0x11, 0x30000, 0x10000)
TEST = Partition("test", APP, 0x20, 0x40000, 0x10000)

APPLICATION = AppDescription("app", "1.0", "v5.5.5", hashlib.sha256(b"app").digest())
IMAGE = pack(APPLICATION)
GIVEN: Mapping[bytes, App] = {APPLICATION.elf_sha256: App(Path("app.elf"), APPLICATION.elf_sha256)}

Contents = dict[int, bytes]
ZEROED = bytes(2 * 0x1000)

OF_ONE_ALONE = re.compile(
    r"boot: (simulated |ESP-IDF |compile time |(Uni|Multi)core bootloader|chip revision|(En|Dis)abling RNG)"
    r"|boot\.esp32: |esp_image: segment \d+: paddr"
)
"""Lines about the chip, the build and the loading, which a simulated boot loader has no part in."""


def table(*partitions: Partition) -> Contents:
    return {TABLE_AT: binary.pack(PartitionTable(partitions))}


def entry(sequence: int, state: int = UNSET, crc: int | None = None) -> bytes:
    return OtaSelect(sequence, state, ota_select_crc(sequence) if crc is None else crc).pack()


def otadata(first: bytes, second: bytes = b"") -> Contents:
    return {OTADATA.offset: first, OTADATA.offset + 0x1000: second}


def apps(*partitions: Partition) -> Contents:
    return {one.offset: IMAGE for one in partitions}


def damaged(at: int, data: bytes) -> Contents:
    image = bytearray(IMAGE)
    at %= len(image)
    image[at : at + len(data)] = data
    return table(FACTORY) | {FACTORY.offset: bytes(image)}


SLOTS = (OTA_0, OTA_1)
WITH_FACTORY = table(OTADATA, FACTORY, *SLOTS) | apps(FACTORY, *SLOTS)
WITHOUT_FACTORY = table(OTADATA, *SLOTS) | apps(*SLOTS)
ROWS = binary.pack(PartitionTable((NVS, FACTORY)))
KINDS = (
    NVS,
    Partition("keys", DATA, 4, 0xD000, 0x1000),
    Partition("efuse", DATA, 5, 0xE000, 0x1000),
    Partition("coredump", DATA, 3, 0xF000, 0x1000),
    FACTORY,
    Partition("spiffs", DATA, 0x82, 0x20000, 0x1000),
    Partition("of its own", 0x40, 1, 0x30000, 0x1000),
    Partition("tee", APP, 0x30, 0x40000, 0x10000),
    Partition("loader", 2, 0, 0x1000, 0x7000),
    Partition("table", 3, 0, 0x8000, 0x1000),
)

FLASHES: Mapping[str, Contents] = {
    "blank otadata": WITH_FACTORY,
    "blank otadata, no factory": WITHOUT_FACTORY,
    "blank otadata, no factory, first slot damaged": WITHOUT_FACTORY | {OTA_0.offset: b"\0"},
    "blank otadata, no application": table(OTADATA, *SLOTS),
    "zeroed otadata": WITH_FACTORY | otadata(ZEROED),
    "zeroed otadata, no factory": WITHOUT_FACTORY | otadata(ZEROED),
    "two wrong CRCs": WITH_FACTORY | otadata(entry(1, crc=5), entry(2, crc=0)),
    "one wrong CRC": WITH_FACTORY | otadata(entry(1), entry(2, crc=0)),
    "invalid and aborted": WITH_FACTORY | otadata(entry(1, INVALID), entry(2, ABORTED)),
    "the second invalid": WITH_FACTORY | otadata(entry(1), entry(2, INVALID)),
    "first slot": WITH_FACTORY | otadata(entry(1)),
    "second slot, damaged": WITH_FACTORY | otadata(entry(1), entry(2)) | {OTA_1.offset: b"\0"},
    "first slot, empty": table(OTADATA, FACTORY, *SLOTS) | apps(FACTORY) | otadata(entry(1)),
    "sequence 0": WITH_FACTORY | otadata(entry(0)),
    "slots with a gap": table(OTADATA, replace(OTA_0, subtype=0x13)) | apps(OTA_0),
    "otadata of one sector": table(replace(OTADATA, size_bytes=0x1000), FACTORY) | apps(FACTORY),
    "test application": table(FACTORY, TEST) | apps(TEST),
    "test application behind slots": table(OTADATA, *SLOTS, TEST) | apps(TEST),
    "test application that is empty": table(TEST),
    "two factory applications": table(FACTORY, replace(FACTORY, offset=0x30000)) | apps(FACTORY, OTA_1),
    "kinds of partitions": table(*KINDS) | apps(FACTORY),
    "nothing": {},
    "wrong magic number in the table": {TABLE_AT: ROWS[:32] + b"\x7f\x50" + ROWS[34:]},
    "wrong digest of the table": {TABLE_AT: ROWS[:12] + b"N" + ROWS[13:]},
    "two digests of the table": {TABLE_AT: ROWS[:96] + ROWS[64:96]},
    "table without an end": {TABLE_AT: ROWS[:32] * 96},
    "partition beyond the flash": table(FACTORY, replace(OTA_0, offset=0x3F0000, size_bytes=0x20000)),
    "application that is empty": table(FACTORY),
    "image without its magic byte": damaged(0, b"\0"),
    "image of another chip, damaged": table(FACTORY) | {FACTORY.offset: pack(APPLICATION, "esp32c3")[:100]},
    "image of no segment": damaged(1, b"\x00"),
    "image of too many segments": damaged(1, b"\x11"),
    "segment of a wrong length": damaged(24 + 4, b"\x02\x01"),
    "segment beyond its partition": damaged(24 + 4, b"\x00\x00\x02"),
    "image longer than its partition": table(replace(FACTORY, size_bytes=0x100)) | apps(FACTORY),
    "wrong checksum": damaged(100, b"\0"),
    "wrong digest": damaged(-1, b"\0"),
}


@pytest.fixture(scope="session")
def boot_loader(pytestconfig: pytest.Config) -> bytes:
    """ESP-IDF's, for a flash of 4 MB: esptool tells it the size so."""
    program = CHIPS["esp32"].qemu.program if CHIPS["esp32"].qemu else ""
    if shutil.which(program) is None:
        pytest.skip(f"needs {program}")
    file = pytestconfig.rootpath / "firmware" / (pytestconfig.option.build_dir or "build")
    file = file / "bootloader" / "bootloader.bin"
    if not file.exists():
        pytest.skip("needs a build of firmware/ by ESP-IDF for esp32")
    image = bytearray(file.read_bytes())
    image[HEADER_FLASH_SIZE_AT] = FLASH_4MB | image[HEADER_FLASH_SIZE_AT] & 0x0F
    return bytes(image)


@pytest.fixture
def boot_in_qemu(boot_loader: bytes, tmp_path: Path) -> Callable[[Contents], tuple[list[str], bytes]]:
    def boot(contents: Contents) -> tuple[list[str], bytes]:
        file = tmp_path / "qemu.bin"
        file.write_bytes(filled(contents | {BOOTLOADER_AT: boot_loader}))
        with QemuBoard(file) as board:
            console = Console(board.url)
            console.reset()
            console.expect(r"entry 0x[0-9a-f]+", BOOT_TIMEOUT_S)
            # then it starts an application, or anew
            said = console.expect(r"(?s).*?(Disabling RNG early entropy source|rst:0x)", BOOT_TIMEOUT_S)[0]
            console.close()
        return lines_of(said.decode()), file.read_bytes()

    return boot


def boot_simulated(contents: Contents, file: Path) -> tuple[list[str], bytes]:
    file.write_bytes(filled(contents))
    flash = NorFlash(file, FLASH_BYTES)
    log = BootLog()
    choose_app(flash, CHIPS["esp32"], GIVEN, log)
    flash.close()
    return lines_of("\n".join(log.lines)), file.read_bytes()


def filled(contents: Contents) -> bytes:
    flash = bytearray(b"\xff" * FLASH_BYTES)
    for address, data in contents.items():
        flash[address : address + len(data)] = data
    return bytes(flash)


def lines_of(text: str) -> list[str]:
    """Its log, without colours and times, and without the lines of one boot loader alone."""
    lines: Sequence[tuple[str, str]] = re.findall(r"([IWE]) \(\d+\) ([^\r\n\x1b]*)", text)
    return [f"{level} {words}" for level, words in lines if not OF_ONE_ALONE.match(words)]


@pytest.mark.parametrize("contents", FLASHES.values(), ids=FLASHES)
def test_boot_loader_says_and_writes_what_that_of_esp_idf_does(
    contents: Contents, boot_in_qemu: Callable[[Contents], tuple[list[str], bytes]], tmp_path: Path
) -> None:
    said, flash = boot_in_qemu(contents)
    assert boot_simulated(contents, tmp_path / "simulated.bin")[0] == said
    simulated = (tmp_path / "simulated.bin").read_bytes()
    assert simulated[TABLE_AT:] == flash[TABLE_AT:]
