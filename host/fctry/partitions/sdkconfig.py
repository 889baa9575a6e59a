"""A project's sdkconfig, sdkconfig.defaults or build/config/sdkconfig.json, as far as it concerns partitions.

Source: ESP-IDF v5.5.5 components/partition_table (Kconfig.projbuild, CMakeLists.txt), components/esptool_py and
components/bootloader (Kconfig.projbuild), components/esp_rom/*/esp_rom_caps.h, tools/cmake/kconfig.cmake.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from fctry.errors import InputError
from fctry.files import read_file
from fctry.partitions.kconfig import (
    CUSTOM_TABLE,
    FLASH_SIZES,
    FLASH_SIZES_MB,
    TABLE_FILE,
    Assignments,
    Ignored,
    choice_of,
    fits,
)
from fctry.partitions.keywords import IdfVersion
from fctry.partitions.options import Options, SecureBoot
from fctry.partitions.table import TABLE_OFFSET

IDF_VERSION = re.compile(r"(\d{1,4})\.(\d{1,4})")
PLATFORMIO_FLASH = re.compile(r"^\s*board_upload\.flash_size\s*=\s*(\d+)\s*MB", re.MULTILINE)
PLATFORMIO_TABLE = re.compile(r"^\s*board_build\.partitions\s*=\s*(\S+)", re.MULTILINE)

GENERATED = {"CONFIG_PARTITION_TABLE_FILENAME", "CONFIG_PARTITION_TABLE_SINGLE_APP"}
"""A generated file has both, on or off; one that was written by hand has no use for the first, and may have it yet."""

DEFAULT_FLASH_SIZE_MB = 2
LINUX_FLASH_BYTES = 4 << 20
"""What the target linux emulates, whatever the configuration says. Source: esp_partition's partition_linux.h."""

BOOTLOADER_OFFSETS: Mapping[str, int] = MappingProxyType(
    {
        **dict.fromkeys(("esp32", "esp32s2"), 0x1000),
        **dict.fromkeys(("esp32c2", "esp32c3", "esp32c6", "esp32c61", "esp32h2", "esp32h21", "esp32s3"), 0x0),
        **dict.fromkeys(("esp32c5", "esp32h4", "esp32p4", "esp32s31"), 0x2000),
        "linux": 0x0,
    }
)
"""Where the ROM of each target looks for the boot loader in flash."""


@dataclass(frozen=True)
class Sdkconfig:
    """The options of one file, or of several that are read one after the other.

    `values` has the text of each option without quotes: `y` and `n` for bool. `places` says where it was
    assigned, (file, line), but for a JSON file. `is_whole` tells a generated file, in which an option that is not
    there is off, from defaults, in which it has its default. `unsure` are options that depend on a target which
    nobody says. `platformio` are the tables that a platformio.ini names.
    """

    file: str
    values: Mapping[str, str]
    places: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    is_whole: bool = False
    ignored: Sequence[Ignored] = ()
    unsure: frozenset[str | int] = frozenset()
    platformio: Sequence[str] = ()

    def is_on(self, option: str) -> bool:
        """Whether a bool is set; one that is not there is off, and so is one that depends on an unknown target."""
        return self.values.get(option) == "y" and not self.is_unsure(option)

    def first_on(self, *options: str) -> str | None:
        """The first of these bools that is set."""
        return next((option for option in options if self.is_on(option)), None)

    def is_off(self, option: str) -> bool:
        """Whether a bool that is on by default is off."""
        return self.values.get(option, "n" if self.is_whole else "y") == "n" and not self.is_unsure(option)

    def is_unsure(self, option: str) -> bool:
        """Whether only a target's file of defaults says it, and the target is not known."""
        return _key(option) in self.unsure

    def text(self, option: str, default: str = "") -> str:
        return self.values.get(option) or default

    def number(self, option: str) -> int | None:
        """The value of a number, or None when the option is not there."""
        text = self.values.get(option)
        return int(text, 16) if text and not self.is_unsure(option) else None

    @property
    def target(self) -> str:
        return self.text("CONFIG_IDF_TARGET", "esp32")

    @property
    def bootloader_offset(self) -> int:
        """Where the boot loader is in flash."""
        offset = self.number("CONFIG_BOOTLOADER_OFFSET_IN_FLASH")
        return BOOTLOADER_OFFSETS.get(self.target, 0) if offset is None else offset

    @property
    def flash_size_bytes(self) -> int | None:
        """The size of the flash, or None when only an unknown target's file says it."""
        if self.target == "linux":
            return LINUX_FLASH_BYTES
        if self.is_unsure(FLASH_SIZES[0]):
            return None
        sizes = zip(FLASH_SIZES, FLASH_SIZES_MB, strict=True)
        return next((mb for option, mb in sizes if self.is_on(option)), DEFAULT_FLASH_SIZE_MB) << 20

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
        found = IDF_VERSION.match(self.text("CONFIG_IDF_INIT_VERSION"))
        return (int(found[1]), int(found[2])) if found else None

    @property
    def tables(self) -> Sequence[str]:
        """The CSVs that the project uses, as they are written there; none when it is one of ESP-IDF's own."""
        if self.platformio:
            return self.platformio
        return [self.text(TABLE_FILE, "partitions.csv")] if self.is_on(CUSTOM_TABLE) else []

    def options(self, base: Options) -> Options:
        """`base` with what this configuration says."""
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


def read_sdkconfig(path: Path, target: str | None = None) -> Sdkconfig:
    """The configuration in `path`; to a file of defaults that of its target is added: `sdkconfig.defaults.esp32`.

    `target` is the project's, if that is known otherwise. Raises InputError when a file cannot be read.
    """
    if path.suffix == ".json":
        return _of_json(path)
    return _read([path], target)


def find_sdkconfig(csv: Path, target: str | None = None) -> Sdkconfig | None:
    """The sdkconfig beside a CSV on top of its sdkconfig.defaults, as far as they are there, if it is about that CSV.

    That is when it, or a platformio.ini, names the CSV, or when the CSV has the name that a project's own table has by
    default. Else one like sdkconfig.ci.NAME that names the CSV is read on top of the defaults, as a build does that is
    told so by SDKCONFIG_DEFAULTS. Tables may be in a folder of the project, or in a folder in that. For `target` see
    `read_sdkconfig`.
    """
    folders = (csv.parent, *csv.absolute().parents[1:3])
    return next((found for folder in folders if (found := _config_in(folder, csv, target))), None)


def _config_in(folder: Path, csv: Path, target: str | None) -> Sdkconfig | None:
    def names(config: Sdkconfig) -> bool:
        if folder == csv.parent:
            return csv.name in (Path(table).name for table in config.tables)
        return csv.absolute() in (folder / table for table in config.tables)

    paths = _sdkconfigs_in(folder)
    config = _read(paths, target) if paths else None
    if config and (ini := _platformio_in(folder)):
        config = _with_platformio(config, ini)
    if config and names(config):
        return config
    is_open = not config or not (config.is_whole or config.platformio)
    parts = [path for path in sorted(folder.glob("sdkconfig.*")) if is_open and path.suffix != ".old"]
    targets = (
        target or (path.suffix[1:] if path.suffix[1:] in BOOTLOADER_OFFSETS else None) for path in parts
    )
    built = (_read([*paths, part], chip) for part, chip in zip(parts, targets, strict=True))
    if found := [one for one in built if names(one)]:
        values = [one.values.items() for one in found]
        unsure = {_key(option) for others in values for option, _ in values[0] ^ others}
        return replace(found[0], unsure=found[0].unsure | unsure)
    return config if csv == folder / "partitions.csv" else None


def tables_named_in(folder: Path) -> Sequence[Path]:
    """The tables that a project's platformio.ini or else its sdkconfig names, as far as they are files of its own."""
    names: Sequence[str] = PLATFORMIO_TABLE.findall(_platformio_in(folder))
    if not names and (paths := _sdkconfigs_in(folder)):
        names = _read(paths, None).tables
    return [path for name in dict.fromkeys(names) if (path := folder / name).is_file()]


def _sdkconfigs_in(folder: Path) -> Sequence[Path]:
    return [path for name in ("sdkconfig.defaults", "sdkconfig") if (path := folder / name).is_file()]


def _platformio_in(folder: Path) -> str:
    ini = folder / "platformio.ini"
    return read_file(ini).decode("utf-8", "replace").replace("\r\n", "\n") if ini.is_file() else ""


def _read(paths: Sequence[Path], target: str | None) -> Sdkconfig:
    """The last of these files on top of those before it. A generated one says everything by itself."""
    last = Assignments().read(paths[-1])
    is_whole = last.values.keys() >= GENERATED
    said, unsure, perhaps = last, set[str | int](), set[tuple[str, str]]()
    if not is_whole:
        said = Assignments()
        target = target or last.values.get("CONFIG_IDF_TARGET") or _target_in(paths[0])
        for path in paths:
            said.read(path)
            others = {chip: path.with_name(f"{path.name}.{chip}") for chip in BOOTLOADER_OFFSETS}
            is_defaults = path.name != "sdkconfig"
            others = {chip: other for chip, other in others.items() if is_defaults and other.is_file()}
            if target in others:
                said.read(others[target])
            elif not target:
                perhaps |= {
                    one for other in others.values() for one in Assignments().read(other).values.items()
                }
        said.drop_without_prompt()
        unsure = {_key(option) for option, value in perhaps if said.values.get(option) != value}
    if target:
        said.values["CONFIG_IDF_TARGET"] = target
    return Sdkconfig(str(paths[-1]), said.values, said.places, is_whole, said.ignored, frozenset(unsure))


def _target_in(path: Path) -> str | None:
    return Assignments().read(path).values.get("CONFIG_IDF_TARGET")


def _with_platformio(config: Sdkconfig, ini: str) -> Sdkconfig:
    """PlatformIO has the table and the size of the flash from its own project file, or else from the board's."""
    sizes = set(PLATFORMIO_FLASH.findall(ini))
    unsure = config.unsure | {_key(FLASH_SIZES[0])}
    if len(sizes) == 1 or (not sizes and any(config.is_on(option) for option in FLASH_SIZES)):
        unsure -= {_key(FLASH_SIZES[0])}
    chosen = {f"CONFIG_ESPTOOLPY_FLASHSIZE_{size}MB": "y" for size in sizes}
    kept = {one: value for one, value in config.values.items() if not (chosen and one in FLASH_SIZES)}
    return replace(config, values=kept | chosen, unsure=unsure, platformio=PLATFORMIO_TABLE.findall(ini))


def _key(option: str) -> str | int:
    """What an option is unsure by: itself, or the choice that it belongs to."""
    return choice_of(option) or option


def _of_json(path: Path) -> Sdkconfig:
    import json  # not for an sdkconfig beside a table

    try:
        options = json.loads(read_file(path))
        items = options.items()
    except (ValueError, RecursionError, AttributeError) as error:
        raise InputError(f"not JSON of options: {error}", hint="build the project again", file=path) from None
    values = {}
    for name, value in items:
        text = (
            ("n", "y")[value]
            if isinstance(value, bool)
            else hex(value)
            if isinstance(value, int)
            else str(value)
        )
        if not fits(option := f"CONFIG_{name}", text):
            raise InputError(f"{option} is `{text}`: no number", hint="build the project again", file=path)
        values[option] = text
    return Sdkconfig(str(path), values, {}, is_whole=True)
