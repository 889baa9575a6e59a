"""A project's sdkconfig, sdkconfig.defaults or build/config/sdkconfig.json, as far as it concerns partitions.

Source: ESP-IDF v5.5.5 components/partition_table (Kconfig.projbuild, CMakeLists.txt), components/esptool_py and
components/bootloader (Kconfig.projbuild), components/esp_rom/*/esp_rom_caps.h.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from fctry.errors import InputError
from fctry.partitions.keywords import IdfVersion
from fctry.partitions.layout import read_bytes
from fctry.partitions.options import Options, SecureBoot
from fctry.partitions.table import TABLE_OFFSET

ASSIGNMENT = re.compile(r"(CONFIG_\w+)=(.*)")
NOT_SET = re.compile(r"# (CONFIG_\w+) is not set")
FLASH_SIZE_MB = (1, 2, 4, 8, 16, 32, 64, 128)
DEFAULT_FLASH_SIZE_MB = 2
NUMBER = re.compile(r"0[xX][0-9a-fA-F]+|\d+")

BOOTLOADER_OFFSETS: Mapping[str, int] = MappingProxyType(
    {
        **dict.fromkeys(("esp32", "esp32s2"), 0x1000),
        **dict.fromkeys(("esp32c2", "esp32c3", "esp32c6", "esp32c61", "esp32h2", "esp32h21", "esp32s3"), 0x0),
        **dict.fromkeys(("esp32c5", "esp32h4", "esp32p4", "esp32s31"), 0x2000),
    }
)
"""Where the ROM of each chip looks for the boot loader in flash."""


@dataclass(frozen=True)
class Sdkconfig:
    """The options of one file, each with its line (0 in a JSON file).

    ``values`` has the text of each option without quotes: ``y`` and ``n`` for bool. ``is_whole`` tells a generated
    file, in which an option that is not there is off, from defaults, in which it has its default.
    """

    file: str
    values: Mapping[str, str]
    lines: Mapping[str, int]
    is_whole: bool

    def is_on(self, option: str) -> bool:
        """Whether a bool is set; one that is not there is off."""
        return self.values.get(option) == "y"

    def first_on(self, *options: str) -> str | None:
        """The first of these bools that is set."""
        return next((option for option in options if self.is_on(option)), None)

    def is_off(self, option: str) -> bool:
        """Whether a bool that is on by default is off."""
        return self.values.get(option, "n" if self.is_whole else "y") == "n"

    def text(self, option: str, default: str = "") -> str:
        return self.values.get(option) or default

    def number(self, option: str) -> int | None:
        """The value of a number, or None when the option is not there. Raises InputError when it is none."""
        text = self.values.get(option)
        if not text:
            return None
        if not NUMBER.fullmatch(text):
            raise InputError(
                f"{option} is `{text}`, which is not a number",
                hint="write it as 0x8000",
                file=self.file,
                line=self.lines.get(option) or None,
            )
        return int(text, 0)

    @property
    def target(self) -> str:
        return self.text("CONFIG_IDF_TARGET", "esp32")

    @property
    def bootloader_offset(self) -> int:
        """Where the boot loader is in flash."""
        offset = self.number("CONFIG_BOOTLOADER_OFFSET_IN_FLASH")
        return BOOTLOADER_OFFSETS.get(self.target, 0) if offset is None else offset

    @property
    def flash_size_bytes(self) -> int:
        named = self.text("CONFIG_ESPTOOLPY_FLASHSIZE").removesuffix("MB")
        if named.isdigit():
            return int(named) << 20
        chosen = [mb for mb in FLASH_SIZE_MB if self.is_on(f"CONFIG_ESPTOOLPY_FLASHSIZE_{mb}MB")]
        return (chosen[0] if chosen else DEFAULT_FLASH_SIZE_MB) << 20

    @property
    def secure_boot(self) -> SecureBoot:
        is_v1 = self.is_on("CONFIG_SECURE_BOOT_V1_ENABLED")
        is_v2 = self.is_on("CONFIG_SECURE_BOOT_V2_ENABLED")
        if self.is_on("CONFIG_SECURE_BOOT_ALLOW_SHORT_APP_PARTITION"):
            return SecureBoot.NONE
        if not is_v1 and not is_v2 and self.is_on("CONFIG_SECURE_BOOT"):
            return SecureBoot.V1 if self.target == "esp32" else SecureBoot.V2
        return SecureBoot.V1 if is_v1 else SecureBoot.V2 if is_v2 else SecureBoot.NONE

    @property
    def idf(self) -> IdfVersion | None:
        """The release that wrote the file, where it says so."""
        found = re.match(r"(\d+)\.(\d+)", self.text("CONFIG_IDF_INIT_VERSION"))
        return (int(found[1]), int(found[2])) if found else None

    @property
    def table_file(self) -> str:
        """The CSV that the project uses, as it is written there, or nothing for one of ESP-IDF's own."""
        if not self.is_on("CONFIG_PARTITION_TABLE_CUSTOM"):
            return ""
        return self.text("CONFIG_PARTITION_TABLE_CUSTOM_FILENAME", "partitions.csv")

    def options(self, base: Options) -> Options:
        """``base`` with what this configuration says."""
        offset = self.number("CONFIG_PARTITION_TABLE_OFFSET")
        return replace(
            base,
            table_offset=TABLE_OFFSET if offset is None else offset,
            md5=not self.is_off("CONFIG_PARTITION_TABLE_MD5"),
            primary_bootloader_offset=self.bootloader_offset,
            recovery_bootloader_offset=self.number("CONFIG_BOOTLOADER_RECOVERY_OFFSET"),
            secure_boot=self.secure_boot,
            flash_size_bytes=self.flash_size_bytes,
            idf=self.idf or base.idf,
        )


def read_sdkconfig(path: Path) -> Sdkconfig:
    """The configuration in ``path``. Raises InputError with file and line when it cannot be read."""
    data = read_bytes(path)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError("not UTF-8", hint="save it as UTF-8", file=path) from None
    return _of_json(path, text) if path.suffix == ".json" else _of_lines(path, text)


def find_sdkconfig(csv: Path) -> Sdkconfig | None:
    """The sdkconfig, or else sdkconfig.defaults, beside a CSV, if it is about that CSV.

    That is when it names the CSV, or when the CSV has the name that a project's own table has by default.
    """
    for name in ("sdkconfig", "sdkconfig.defaults"):
        path = csv.parent / name
        if path.is_file():
            config = read_sdkconfig(path)
            is_named = Path(config.table_file).name == csv.name
            return config if is_named or csv.name == "partitions.csv" else None
    return None


def _of_lines(path: Path, text: str) -> Sdkconfig:
    values: dict[str, str] = {}
    lines: dict[str, int] = {}
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if assigned := ASSIGNMENT.fullmatch(line):
            name, value = assigned[1], assigned[2].strip().strip('"')
        elif unset := NOT_SET.fullmatch(line):
            name, value = unset[1], "n"
        elif not line or line.startswith("#"):
            continue
        else:
            raise InputError(f"`{line}` is no option", hint="write CONFIG_NAME=value", file=path, line=number)
        values[name], lines[name] = value, number
    return Sdkconfig(str(path), values, lines, "CONFIG_PARTITION_TABLE_FILENAME" in values)


def _of_json(path: Path, text: str) -> Sdkconfig:
    import json  # not for an sdkconfig beside a table

    try:
        options = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"not JSON: {error.msg}", hint="build again", file=path, line=error.lineno) from None
    values = {}
    for name, value in options.items():
        values[f"CONFIG_{name}"] = ("y" if value else "n") if isinstance(value, bool) else str(value)
    return Sdkconfig(str(path), values, {}, is_whole=True)
