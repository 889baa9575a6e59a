"""Options that several commands share, and what they mean. Imports nothing before an option is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fctry.cli.arguments import (
    Argument,
    Arguments,
    Choice,
    Option,
    UsageError,
    idf,
    integer,
    panel,
    path,
    size,
)

if TYPE_CHECKING:
    from pathlib import Path

    from fctry.nvs.encryption import Keys
    from fctry.project import Project, Settings

KEYS = (
    Option(
        "--keys",
        type=path,
        metavar="FILE",
        help="keys of an encrypted partition: the image of its nvs_keys partition",
    ),
    Option(
        "--hmac-key",
        type=path,
        metavar="FILE",
        excludes="--keys",
        help="or the HMAC key that the keys are derived from: 32 bytes, as in the eFuses",
    ),
)


def keys_of(args: Arguments, *, required: bool = False) -> Keys | None:
    """The keys of the options KEYS. Raises InputError or FormatError that names the file."""
    file: Path | None = args.hmac_key or args.keys
    if required and not file:
        raise UsageError("give --keys or --hmac-key")
    if not file:
        return None
    from fctry.files import naming, read_file
    from fctry.nvs.encryption import Keys

    with naming(file):
        return (Keys.from_hmac_key if args.hmac_key else Keys.from_partition)(read_file(file))


def inputs_of(args: Arguments) -> list[Path]:
    """The files that the options name, but for those to write."""
    from pathlib import Path

    named = [one for key, one in vars(args).items() if key not in ("output", "svg")]
    return [
        path for one in named for path in (one if isinstance(one, tuple) else [one]) if isinstance(path, Path)
    ]


def table_offset(default: str = "0x8000") -> Option:
    """Where the partition table is."""
    text = f"address of the partition table in flash (default: {default})"
    return Option("--table-offset", type=integer, metavar="ADDRESS", help=text)


_OF_PROJECT = panel(
    "The project",
    Option(
        "--partition",
        metavar="NAME",
        help="the factory partition (default: fctry, or the one read-only NVS partition)",
    ),
    Option("--chip", metavar="CHIP", help="esp32, esp32c3, … (default: the sdkconfig's)"),
    Option(
        "--sdkconfig",
        type=path,
        metavar="FILE",
        help="sdkconfig, sdkconfig.defaults or sdkconfig.json (default: beside the table)",
    ),
    table_offset("the sdkconfig's, or 0x8000"),
    Option(
        "--flash-size",
        "flash_size_bytes",
        type=size,
        metavar="SIZE",
        help="size of the flash: 4MB, 16MB, … (default: the sdkconfig's)",
    ),
    Option("--build", type=path, metavar="FOLDER", help="ESP-IDF build folder, or its flasher_args.json"),
    Option(
        "--idf",
        type=idf,
        metavar="VERSION",
        help="ESP-IDF release, v5.3 or later (default: the newest)",
    ),
    Option(
        "--secure-boot",
        type=Choice(("v1", "v2")),
        help="applications are signed for this secure boot (default: as the sdkconfig says)",
    ),
    Option(
        "--no-md5",
        "md5",
        flag_value=False,
        default=None,
        help="the table has no MD5 row: for boot loaders before v3.1",
    ),
    Option(
        "--recovery-bootloader-offset",
        type=integer,
        metavar="ADDRESS",
        help="address of the recovery boot loader in flash",
    ),
    Option(
        "--extra-subtype",
        "extra_subtypes",
        multiple=True,
        metavar="T,NAME,N",
        help="a subtype of your own, as in EXTRA_PARTITION_SUBTYPES",
    ),
)
PROJECT = panel(
    "The project",
    Option("--partitions", type=path, metavar="FILE", help="partition table (default: the project's)"),
    *_OF_PROJECT,
)
TABLE_OF_PROJECT = (
    Argument(
        "partitions",
        type=path,
        required=False,
        metavar="TABLE",
        help="CSV, binary table or flash dump (default: the project's)",
    ),
    *_OF_PROJECT,
)
"""For a command that is about one table."""


def project_of(args: Arguments) -> Project:
    """The project that the options of PROJECT describe. Raises InputError."""
    import os

    from fctry.project import open_project

    return open_project(settings_of(args), variables=os.environ)


def settings_of(args: Arguments) -> Settings:
    """What the options of PROJECT say, and the project's own settings. Raises InputError."""
    from dataclasses import fields, replace

    from fctry.project import Settings
    from fctry.settings import find_settings

    names = {field.name for field in fields(Settings)}
    said = {name: value for name, value in vars(args).items() if name in names and value not in (None, ())}
    return replace(find_settings(said.get("partitions")), **said)
