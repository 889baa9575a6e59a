"""What the options of a command say about the project."""

from __future__ import annotations

import argparse
import os
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

from fctry.partitions.options import SecureBoot
from fctry.partitions.table import FACTORY_PARTITION
from fctry.project import PARTITIONS_FILE, Project, Settings, open_project


def add_table(parser: argparse._ActionsContainer) -> None:
    """The options of a command that is about the factory partition of a table."""
    parser.add_argument(
        "--partitions", type=Path, metavar="CSV", help=f"partition table (default: {PARTITIONS_FILE})"
    )
    parser.add_argument(
        "--partition", metavar="NAME", help=f"the factory partition (default: {FACTORY_PARTITION})"
    )


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
    group.add_argument(
        "--flash-size", dest="flash_size_bytes", type=_flash_size, metavar="SIZE", help="4MB, 16MB, …"
    )
    group.add_argument(
        "--secure-boot",
        type=SecureBoot,
        choices=(SecureBoot.V1, SecureBoot.V2),
        metavar="{v1,v2}",
        help="applications are signed for this secure boot",
    )
    group.add_argument(
        "--no-md5",
        dest="md5",
        action="store_const",
        const=False,
        help="no MD5 row: for boot loaders before v3.1",
    )
    group.add_argument(
        "--recovery-bootloader-offset", type=_number, metavar="N", help="of the recovery boot loader"
    )
    group.add_argument(
        "--extra-subtype",
        dest="extra_subtypes",
        action="append",
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


def project_of(args: argparse.Namespace) -> Project:
    """The project that the options describe."""
    names = {field.name for field in fields(Settings)}
    said: dict[str, Any] = {
        name: value for name, value in vars(args).items() if name in names and value is not None
    }
    if "partitions" in said:
        said["partitions"] = Path(said["partitions"])
    return open_project(Settings(**said), variables=os.environ)
