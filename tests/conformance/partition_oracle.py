"""ESP-IDF's gen_esp32part.py as an oracle, and random tables to ask it about.

The tables are mostly almost right: a rule that is tested only with nonsense is not tested.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import os
import random
import struct
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fctry.errors import FctryError
from fctry.partitions.binary import pack
from fctry.partitions.csv import parse_csv
from fctry.partitions.keywords import IdfVersion, Keywords
from fctry.partitions.options import Options, SecureBoot

TOOL = Path("components/partition_table/gen_esp32part.py")
VARIABLES = {"SET": "v", "SIZE": "64K", "HASH": "#"}
EXTRA_SUBTYPES = ("app, my_app, 0x40", "data, calib, 0x41", "data, bank, 0x42")

SUBTYPES = {
    "app": ("factory", "test", "ota_0", "ota_1", "ota_2", "ota_15", "tee_0", "tee_1", "my_app", ""),
    "data": (
        *("ota", "phy", "nvs", "coredump", "nvs_keys", "efuse", "undefined", "esphttpd", "fat", "spiffs"),
        *("littlefs", "tee_ota", "calib", "bank", ""),
    ),
    "bootloader": ("primary", "ota", "recovery", ""),
    "partition_table": ("primary", "ota", ""),
    "0x40": ("0", "7", ""),
    "64": ("0x12", "x"),
}
LIKELY_SUBTYPES = {
    "app": ("factory", "ota_0", "ota_1", "test"),
    "data": ("nvs", "phy", "fat", "spiffs", "nvs_keys", "coredump"),
}
NUMBERS = {"app": "0", "data": "1", "bootloader": "0x2", "partition_table": "3"}
NAMES = (
    "nvs",
    "phy_init",
    "factory",
    "otadata",
    "data",
    "app",
    "coredump",
    "né",
    "ota_0",
    "",
    "a" * 15,
    "b" * 19,
)
SIZES = (0x1000, 0x2000, 0x3000, 0x4000, 0x6000, 0x10000, 0x100000, 0x180000)
ODD_SIZES = (0, 1, 0x800, 0x1800, 5000, 0x123456)
NO_NUMBERS = (
    *(
        "1.5M",
        "N/A",
        "zz",
        "0xg",
        "-5",
        "-0x9000",
        "0x1_000",
        "010",
        "",
        "5MB",
        "4 K",
        "1kk",
        "0x1k",
        "k",
        "M",
    ),
    *("0b11", "1e3", "99999999999", "0x100000000", "-0", "+4K", "٣", "nvs", "300", "-1", "appm"),
)
FLAGS = (
    "",
    "",
    "",
    "",
    "encrypted",
    "readonly",
    "encrypted:readonly",
    "readonly:encrypted",
    ":",
    "encrypted:",
)
ODD_FLAGS = ("readOnly", "encrypted readonly", "enc", "# comment", "encrypted: readonly")


@dataclass(frozen=True)
class Case:
    """A table and the options of gen_esp32part.py."""

    text: str
    table_offset: int = 0x8000
    md5: bool = True
    secure_boot: str = "none"
    primary_bootloader_offset: int | None = None
    recovery_bootloader_offset: int | None = None
    flash_size_bytes: int | None = None
    extra_subtypes: tuple[str, ...] = ()

    def options(self, idf: IdfVersion) -> Options:
        return Options(
            table_offset=self.table_offset,
            md5=self.md5,
            secure_boot=SecureBoot(self.secure_boot),
            primary_bootloader_offset=self.primary_bootloader_offset,
            recovery_bootloader_offset=self.recovery_bootloader_offset,
            flash_size_bytes=self.flash_size_bytes,
            keywords=Keywords().with_extra(self.extra_subtypes),
            variables=VARIABLES,
            idf=idf,
        )

    def our_binary(self, idf: IdfVersion) -> bytes | str:
        """The binary that we make of it, or why we refuse it."""
        try:
            return pack(parse_csv(self.text, options=self.options(idf)), md5=self.md5)
        except FctryError as error:
            return str(error)

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> Case:
        return cls(**{**content, "extra_subtypes": tuple(content["extra_subtypes"])})


class Oracle:
    """One edition of gen_esp32part.py, imported from its file."""

    def __init__(self, path: Path) -> None:
        spec = importlib.util.spec_from_file_location("gen_esp32part", path)
        assert spec
        assert spec.loader
        self._tool: Any = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self._tool)
        self._subtypes = {type_: dict(names) for type_, names in self._tool.SUBTYPES.items()}
        self.version: str = self._tool.__version__

    def binary(self, case: Case) -> bytes | str:
        """The binary that it makes of a table, or why it refuses it."""
        tool = self._tool
        tool.quiet, tool.md5sum, tool.offset_part_table = True, case.md5, case.table_offset
        tool.secure = None if case.secure_boot == "none" else case.secure_boot
        tool.primary_bootloader_offset = case.primary_bootloader_offset
        tool.recovery_bootloader_offset = case.recovery_bootloader_offset
        tool.SUBTYPES.clear()
        tool.SUBTYPES.update({type_: dict(names) for type_, names in self._subtypes.items()})
        tool.add_extra_subtypes(case.extra_subtypes)
        try:
            with _environment(), contextlib.redirect_stderr(io.StringIO()):
                table, _ = tool.PartitionTable.from_file(io.BytesIO(case.text.encode()))
                table.verify()
                if case.flash_size_bytes:
                    table.verify_size_fits(case.flash_size_bytes)
                return bytes(table.to_binary())
        # what it does not foresee (a number that does not fit its field) ends in other exceptions than its own
        except (tool.InputError, struct.error, ValueError, TypeError) as error:
            return f"{type(error).__name__}: {error}"


@contextlib.contextmanager
def _environment() -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(VARIABLES)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


class RandomTables:
    """Random tables and options; the same seed makes the same."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def case(self) -> Case:
        choice = self._random.choice
        table_offset = choice((0x8000, 0x8000, 0x8000, 0x8000, 0x9000, 0x10000, 0x2000))
        text = self._table(may_be_bad=self._is_rare(0.4))
        return Case(
            text=text,
            table_offset=table_offset,
            md5=not self._is_rare(0.1),
            secure_boot=choice(("none", "none", "none", "v1", "v2")),
            primary_bootloader_offset=choice((None, 0x1000, 0)),
            recovery_bootloader_offset=choice((None, 0x3F0000, 0x9000)),
            flash_size_bytes=choice((None, None, 2 << 20, 4 << 20)),
            extra_subtypes=EXTRA_SUBTYPES if self._is_rare(0.5) else (),
        )

    def _is_rare(self, probability: float) -> bool:
        return self._random.random() < probability

    def _table(self, *, may_be_bad: bool) -> str:
        choice = self._random.choice
        count = choice((93, 94, 95, 96)) if self._is_rare(0.01) else choice((1, 2, 3, 4, 5, 6, 8))
        lines: list[str] = []
        end = 0x9000
        for number in range(count):
            line, end = self._line(number, end, may_be_bad=may_be_bad)
            lines.append(line)
            if self._is_rare(0.1):
                lines.append(choice(("", "# c", "  # $NOPE", "#", "   ", "$HASH x")))
        if may_be_bad and self._is_rare(0.05):
            self._random.shuffle(lines)
        return choice(("\n", "\r\n", "\n\n", "\x0c" if may_be_bad else "\n")).join(lines) + choice(("", "\n"))

    def _line(self, number: int, end: int, *, may_be_bad: bool) -> tuple[str, int]:
        choice, rare = self._random.choice, self._is_rare
        type_ = choice(("data",) * 6 + ("app",) * 4 + ((*NUMBERS, "0x40", "64") if rare(0.3) else ("data",)))
        subtype = choice(LIKELY_SUBTYPES.get(type_, SUBTYPES[type_]) if rare(0.6) else SUBTYPES[type_])
        alignment = 0x800 if may_be_bad and rare(0.05) else 0x10000 if type_ == "app" else 0x1000
        offset = -(-end // alignment) * alignment + (
            alignment * self._random.randrange(4) if rare(0.2) else 0
        )
        if may_be_bad and rare(0.08):
            offset = max(0, offset - alignment * self._random.randrange(1, 4))
        size = 0x2000 if subtype in ("ota", "tee_ota") else choice(SIZES)
        size = max(size, 0x3000) if subtype == "nvs" and not rare(0.1) else size
        size = choice(ODD_SIZES) if may_be_bad and rare(0.06) else size
        size_text = f"-{offset + size:#x}" if rare(0.08) else self._number(size)
        fields = [
            choice(NAMES) if rare(0.25) else f"p{number}",
            NUMBERS.get(type_, type_) if rare(0.1) else type_,
            subtype.upper() if rare(0.1) else subtype,
            "" if rare(0.4) else self._number(offset),
            size_text,
            choice(ODD_FLAGS) if may_be_bad and rare(0.05) else choice(FLAGS),
        ]
        return self._written(fields, size_text, may_be_bad=may_be_bad), offset + size

    def _written(self, fields: list[str], size_text: str, *, may_be_bad: bool) -> str:
        choice, rare = self._random.choice, self._is_rare
        if may_be_bad and rare(0.06):
            fields[self._random.randrange(1, 5)] = choice(NO_NUMBERS)
        if may_be_bad and rare(0.02):
            fields = fields[: self._random.randrange(1, 6)]
        if rare(0.05):
            fields += ["", choice(("x", "# hi", ""))]
        padding = choice(("", " ", "\t", "  "))
        line = f"{padding},{padding}".join(fields)
        if rare(0.02):
            line = choice(("$NOPE ", "${NOPE}", "$SET", "$SET ")) + line
        if rare(0.03):
            line = line.replace(size_text, choice(("$SIZE", "${SIZE}", "$NOPE")))
        return choice(("", " ", "\t")) + line

    def _number(self, value: int) -> str:
        notation = self._random.randrange(6)
        if notation == 0:
            return str(value)
        if notation == 1 and value % 1024 == 0:
            return f"{value // 1024}{self._random.choice('kK')}"
        if notation == 2 and value % (1 << 20) == 0:
            return f"{value >> 20}{self._random.choice('mM')}"
        return oct(value) if notation == 3 and self._is_rare(0.1) else hex(value)
