"""The native port as the judge of the reader: what is shown of an image, the firmware finds, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fctry.findings import fails
from fctry.nvs import Item, check
from fctry.nvs.contents import read
from fctry.nvs.item import NUMBERS
from fctry.nvs.values import read_items
from tests.conformance.compare_nvs_flash import BLANK, base_images, damaged, flash_of
from tests.unit.firmware.nvs_script import NvsScript

SEEDS = range(250)  # the first 30,000 were tried
NAMES = {0x21: "str", 0x42: "blob"} | {
    bits // 8 + 16 * (sign == "i"): f"{sign}{bits}" for sign in "ui" for bits in (8, 16, 32, 64)
}

Row = tuple[str, str, str, str]
"""Namespace, key, type, and the bytes of the value in hexadecimal digits."""


class Judge:
    """The firmware's NVS on a partition, which is flagged readonly or is not."""

    def __init__(self, program: Path, flash: Path, *, read_only: bool) -> None:
        self._flash, self._read_only = flash, read_only
        flash.write_bytes(flash_of(BLANK, readonly=read_only))
        self.script = NvsScript(program, flash)

    def faults(self, image: bytes) -> Iterator[str]:
        """What of an image without errors is shown and not found, or found and not shown."""
        if fails(check(image, read_only=self._read_only)):
            return
        shown = [_row(item) for item, _ in read_items(read(image))]
        with self._flash.open("r+b") as file:
            file.write(flash_of(image, readonly=self._read_only))
        asked = [row for row in shown if all(name.isprintable() and " " not in name for name in row[:2])]
        gets = [
            command
            for namespace, key, kind, _ in asked
            for command in (f"open fctry {_typed(namespace)} ro", f"get {kind} {_typed(key)}", "close")
        ]
        mounted, listed, *got, _ = self.script.run(["mount fctry", "list fctry", *gets, "unmount fctry"])
        if mounted.code != "ESP_OK":
            yield f"not mounted: {mounted.code}"
        for row, answer in zip(asked, got[1::3], strict=True):
            value = answer.lines[0] if answer.code == "ESP_OK" else answer.code
            if value != row[3]:
                yield f"shown, and not found: {row[:3]}, {value[:30]}"
        for line in listed.lines:
            place, kind, code, value = line.split(" ")
            names = place.encode("latin-1").decode(errors="surrogateescape").split("/", 1)
            if (*names, NAMES[int(kind, 16)], value) not in shown:
                yield f"found, and not shown: {names}, {code}"


def _typed(name: str) -> str:
    return name.encode(errors="surrogateescape").decode("latin-1")


def _row(item: Item) -> Row:
    if isinstance(item.value, (int, float)):
        value = NUMBERS[item.type].pack(item.value)
    elif isinstance(item.value, str):
        value = item.value.encode(errors="surrogateescape") + b"\0"
    else:
        value = item.value
    return item.namespace, item.key, item.type.value, value.hex()


@pytest.fixture(scope="module")
def bases(native_build: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The undamaged images."""
    return base_images(native_build / "nvs_script", tmp_path_factory.mktemp("bases"))


@pytest.mark.parametrize("read_only", [True, False], ids=["readonly", "writable"])
def test_what_is_shown_is_what_the_firmware_finds(
    native_build: Path, bases: dict[str, bytes], tmp_path: Path, read_only: bool
) -> None:
    program = native_build / "nvs_script"
    judge = Judge(program, tmp_path / "flash.bin", read_only=read_only)
    with judge.script:
        faults = [
            f"{label}: {fault}"
            for label, image in (damaged(seed, bases) for seed in SEEDS)
            for fault in judge.faults(image.ljust(len(BLANK), b"\xff"))
        ]
    assert faults == []
