"""What `fctry layout` is told about a project: by its options, its configuration and its build."""

from __future__ import annotations

import argparse
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from fctry.errors import InputError

if TYPE_CHECKING:
    from fctry.partitions.flasher_args import FlasherArgs
    from fctry.partitions.layout import Layout
    from fctry.partitions.options import Options
    from fctry.partitions.sdkconfig import Sdkconfig

DEFAULT_CHIP = "esp32"


def add_table_offset(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--table-offset", type=_number, metavar="N", help="of the table in flash (default: 0x8000)"
    )


def add_project(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the project")
    add_table_offset(group)
    group.add_argument(
        "--idf", type=_idf, metavar="VERSION", help="ESP-IDF release, v5.3 or later (default: the newest)"
    )
    group.add_argument(
        "--chip", metavar="CHIP", help="esp32, esp32c3, … (default: that of the sdkconfig, or esp32)"
    )
    group.add_argument("--flash-size", type=_flash_size, metavar="SIZE", help="4MB, 16MB, …")
    group.add_argument(
        "--secure-boot", choices=("v1", "v2"), help="applications are signed for this secure boot"
    )
    group.add_argument("--no-md5", action="store_true", help="no MD5 row: for boot loaders older than v3.1")
    group.add_argument(
        "--recovery-bootloader-offset", type=_number, metavar="N", help="of the recovery boot loader"
    )
    group.add_argument(
        "--extra-subtype",
        action="append",
        default=[],
        metavar="T,NAME,N",
        help="as in EXTRA_PARTITION_SUBTYPES",
    )
    group.add_argument(
        "--sdkconfig", type=Path, metavar="FILE", help="sdkconfig, sdkconfig.defaults or sdkconfig.json"
    )
    group.add_argument(
        "--build", type=Path, metavar="DIR", help="ESP-IDF build folder, or its flasher_args.json"
    )


def _number(text: str) -> int:
    return int(text, 0)


def _idf(text: str) -> tuple[int, int]:
    found = re.match(r"v?(\d+)\.(\d+)", text)
    if not found:
        raise argparse.ArgumentTypeError(f"`{text}` is no ESP-IDF release such as v5.4")
    from fctry.partitions.keywords import OLDEST_IDF

    version = (int(found[1]), int(found[2]))
    if version < OLDEST_IDF:
        raise argparse.ArgumentTypeError(f"{text} is not known: the rules begin with v5.3")
    return version


def _flash_size(text: str) -> int:
    found = re.fullmatch(r"(\d+)\s*M(i?B)?", text, re.IGNORECASE)
    return int(found[1]) << 20 if found else int(text, 0)


class Project:
    """What the arguments and the files that they name say about the project."""

    def __init__(self, args: argparse.Namespace, *, look_for_sdkconfig: bool = False) -> None:
        self.args = args
        self.build: FlasherArgs | None = None
        self.sdkconfig: Sdkconfig | None = None
        self.read_beside = ""
        if args.build:
            from fctry.partitions.flasher_args import read_flasher_args

            self.build = read_flasher_args(args.build)
        self._find_sdkconfig(look_for_sdkconfig)
        self.options = self._options()

    def _find_sdkconfig(self, look_for_it: bool) -> None:
        path: Path | None = self.args.sdkconfig
        if not path and self.build:
            built = Path(self.build.file).parent / "config" / "sdkconfig.json"
            path = built if built.is_file() else None
        if path or look_for_it:
            from fctry.partitions.sdkconfig import find_sdkconfig, read_sdkconfig

            self.sdkconfig = read_sdkconfig(path) if path else find_sdkconfig(self.args.table)
            self.read_beside = self.sdkconfig.file if self.sdkconfig else ""

    def _options(self) -> Options:
        from fctry.partitions.options import Options, SecureBoot

        args = self.args
        options = Options(variables=dict(os.environ))
        if self.sdkconfig:
            options = self.sdkconfig.options(options)
        if self.build and options.flash_size_bytes is None:
            options = replace(options, flash_size_bytes=self.build.flash_size_bytes)
        given = {
            "table_offset": args.table_offset,
            "idf": args.idf,
            "flash_size_bytes": args.flash_size,
            "secure_boot": SecureBoot(args.secure_boot) if args.secure_boot else None,
            "md5": False if args.no_md5 else None,
            "recovery_bootloader_offset": args.recovery_bootloader_offset,
            "keywords": options.keywords.with_extra(args.extra_subtype) if args.extra_subtype else None,
            "primary_bootloader_offset": self.bootloader_offset if args.chip else None,
        }
        return replace(options, **{name: value for name, value in given.items() if value is not None})

    @property
    def bootloader_offset(self) -> int:
        """Where the chip's boot loader is. Raises InputError when the chip is not known."""
        from fctry.partitions.sdkconfig import BOOTLOADER_OFFSETS

        if self.sdkconfig and not self.args.chip:
            return self.sdkconfig.bootloader_offset
        chip = self.args.chip or DEFAULT_CHIP
        if chip not in BOOTLOADER_OFFSETS:
            raise InputError(f"unknown chip `{chip}`", hint="known are " + ", ".join(BOOTLOADER_OFFSETS))
        return BOOTLOADER_OFFSETS[chip]

    def open(self, path: Path) -> Layout:
        from fctry.partitions.source import open_layout

        return open_layout(path, self.options)
