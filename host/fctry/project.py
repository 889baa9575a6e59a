"""A user's project: its partition table, how that table is read, and which partition is the factory partition.

What nobody says is taken from the project's own files: the sdkconfig beside the table, or a build folder.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from fctry.errors import InputError
from fctry.nvs import SECRET_NAMESPACES
from fctry.partitions.options import Options, SecureBoot
from fctry.partitions.table import FACTORY_PARTITION, NO_PARTITION

if TYPE_CHECKING:
    from fctry.partitions.flasher_args import FlasherArgs
    from fctry.partitions.keywords import IdfVersion
    from fctry.partitions.layout import Layout
    from fctry.partitions.sdkconfig import Sdkconfig
    from fctry.partitions.table import Partition, PartitionTable

PARTITIONS_FILE = Path("partitions.csv")
DEFAULT_CHIP = "esp32"
LABEL = "CONFIG_FACTORY_DATA_PARTITION_LABEL"
"""The component's option for the name of the factory partition."""
_NO_VARIABLES: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Settings:
    """What is said about a project. None, or nothing: its files say it, or ESP-IDF's default holds.

    `partitions` is the table: a CSV, a binary, or a dump of a flash; `partition` names the factory partition;
    `build` is an ESP-IDF build folder; `extra_subtypes` are lines as in EXTRA_PARTITION_SUBTYPES. Offsets are
    addresses in flash. `slots` are the places for boards at a station: a name, and the serial port or its USB location.
    `seal`, key or efuse, is what provisioning closes a device's console with at its end.
    """

    partitions: Path = PARTITIONS_FILE
    partition: str | None = None
    chip: str | None = None
    sdkconfig: Path | None = None
    build: Path | None = None
    table_offset: int | None = None
    flash_size_bytes: int | None = None
    idf: IdfVersion | None = None
    secure_boot: str | None = None
    md5: bool | None = None
    recovery_bootloader_offset: int | None = None
    extra_subtypes: tuple[str, ...] = ()
    secret_namespaces: tuple[str, ...] = SECRET_NAMESPACES
    slots: Mapping[str, str] = field(default_factory=dict)
    seal: str | None = None


@dataclass(frozen=True)
class Project:
    """What `open_project` found. Its table is read when it is first asked for."""

    settings: Settings
    options: Options
    sdkconfig: Sdkconfig | None = None
    build: FlasherArgs | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """What the project was read from."""
        return (self.settings.partitions, *([Path(self.sdkconfig.file)] if self.sdkconfig else []))

    @property
    def bootloader_offset(self) -> int:
        """The address of the chip's boot loader in flash. Raises InputError when the chip is not known."""
        if self.sdkconfig and not self.settings.chip:
            return self.sdkconfig.bootloader_offset
        return _bootloader_offset(self.settings.chip or DEFAULT_CHIP)

    @property
    def target(self) -> str:
        """The chip that it is for; empty where nothing says one, and for firmware that runs on a computer."""
        said = self.sdkconfig.text("CONFIG_IDF_TARGET") if self.sdkconfig else ""
        return self.settings.chip or (said if said != "linux" else "")

    def open(self, path: Path) -> Layout:
        """A table as this project reads it, with whatever is wrong in it; for errors see `open_layout`."""
        from fctry.partitions.source import open_layout

        return open_layout(path, self.options)

    @cached_property
    def layout(self) -> Layout:
        """The project's own table, with whatever is wrong in it."""
        path = self.settings.partitions
        if path.name == PARTITIONS_FILE.name and not path.exists():
            folder = "" if path.parent == Path() else f" {shlex.quote(str(path.parent))}"
            raise InputError(
                "there is no partition table",
                hint=f"`fctry init{folder}` makes one; to name another: --partitions, `fctry layout check TABLE`, "
                "`pytest --fctry-partitions`",
                file=path,
            )
        return self.open(path)

    @cached_property
    def table(self) -> PartitionTable:
        """The project's table. Raises InputError for the first thing for which ESP-IDF would refuse it."""
        from fctry.partitions.csv import table_of

        return table_of(self.layout)

    @cached_property
    def factory_partition(self) -> Partition:
        """Where factory data goes. Raises InputError when there is no such partition, or it is none for NVS."""
        found = factory_partition_of(self.layout, self.settings.partition, self.label)
        check_partition(self.table, found)
        return found

    @property
    def label(self) -> str:
        """What the firmware calls the factory partition, as far as the sdkconfig says so."""
        return self.sdkconfig.text(LABEL, FACTORY_PARTITION) if self.sdkconfig else FACTORY_PARTITION


def factory_partition_of(layout: Layout, name: str | None, label: str = FACTORY_PARTITION) -> Partition:
    """The factory partition of a sound layout: by name, by what it says of itself, or by the firmware's label.

    Raises InputError when there is none.
    """
    if name == NO_PARTITION:
        raise InputError(
            "this project has no factory partition", hint="name one with --partition", file=layout.file
        )
    found = [] if name else layout.factory_entries(None)
    return found[0].partition if len(found) == 1 else layout.table.find(name or label)


def check_partition(table: PartitionTable, partition: Partition) -> None:
    """Raise InputError when the partition is none for an NVS image, such as the application's."""
    if not partition.is_nvs:
        names = ", ".join(entry.name for entry in table if entry.is_nvs) or "none"
        raise InputError(
            f"`{partition.name}` is not of type data, nvs: an image would destroy what is in it",
            hint=f"name the factory partition; of type data, nvs there are: {names}",
            file=table.file or None,
        )


def open_project(settings: Settings, *, variables: Mapping[str, str] = _NO_VARIABLES) -> Project:
    """The project with this table. `variables` replace `$NAME` in it, as the environment does for ESP-IDF.

    Raises InputError for a file that cannot be read or is not what it should be, and for an unknown chip.
    """
    from fctry.partitions.cmake import extra_subtypes_in

    build = None
    if settings.build:
        from fctry.partitions.flasher_args import read_flasher_args

        build = read_flasher_args(settings.build)
    sdkconfig = _sdkconfig(settings, build)
    options = Options(variables=variables)
    if sdkconfig:
        options = sdkconfig.options(options)
    if build and options.flash_size_bytes is None:
        options = replace(options, flash_size_bytes=build.flash_size_bytes)
    extra = settings.extra_subtypes or extra_subtypes_in(settings.partitions.parent)
    said: dict[str, Any] = {
        "table_offset": settings.table_offset,
        "idf": settings.idf,
        "flash_size_bytes": settings.flash_size_bytes,
        "secure_boot": settings.secure_boot and SecureBoot(settings.secure_boot),
        "md5": settings.md5,
        "recovery_bootloader_offset": settings.recovery_bootloader_offset,
        "primary_bootloader_offset": _bootloader_offset(settings.chip) if settings.chip else None,
        "keywords": options.keywords.with_extra(extra) if extra else None,
    }
    options = replace(options, **{name: value for name, value in said.items() if value is not None})
    return Project(settings, options, sdkconfig, build)


def _sdkconfig(settings: Settings, build: FlasherArgs | None) -> Sdkconfig | None:
    from fctry.partitions.sdkconfig import find_sdkconfig, read_sdkconfig

    built = Path(build.file).parent / "config" / "sdkconfig.json" if build else None
    path = settings.sdkconfig or (built if built and built.is_file() else None)
    return read_sdkconfig(path, settings.chip) if path else find_sdkconfig(settings.partitions, settings.chip)


def _bootloader_offset(chip: str) -> int:
    from fctry.partitions.sdkconfig import BOOTLOADER_OFFSETS

    if chip not in BOOTLOADER_OFFSETS:
        raise InputError(f"unknown chip `{chip}`", hint="known are " + ", ".join(BOOTLOADER_OFFSETS))
    return BOOTLOADER_OFFSETS[chip]
