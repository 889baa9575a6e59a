"""Options that several commands share, and what they mean. Imports nothing before an option is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fctry.cli.arguments import idf, integer, path, size

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from fctry.nvs.encryption import Keys
    from fctry.project import Project


def add_keys(parser: argparse.ArgumentParser, *, required: bool = False) -> None:
    """The options that `keys_of` takes keys from."""
    keys = parser.add_mutually_exclusive_group(required=required)
    keys.add_argument(
        "--keys",
        type=path,
        metavar="FILE",
        help="keys of an encrypted partition: image of its nvs_keys partition",
    )
    keys.add_argument(
        "--hmac-key", type=path, metavar="FILE", help="or the HMAC key of the device's eFuses, 32 bytes"
    )


def keys_of(args: argparse.Namespace) -> Keys | None:
    """The keys of the options --keys or --hmac-key. Raises InputError or FormatError that names the file."""
    file: Path | None = args.hmac_key or args.keys
    if not file:
        return None
    from fctry.files import naming, read_file
    from fctry.nvs.encryption import Keys

    with naming(file):
        return (Keys.from_hmac_key if args.hmac_key else Keys.from_partition)(read_file(file))


def inputs_of(args: argparse.Namespace) -> list[Path]:
    """The files that the options name, but for those to write."""
    from pathlib import Path

    named = [one for key, one in vars(args).items() if key not in ("output", "svg")]
    return [
        path for one in named for path in (one if isinstance(one, list) else [one]) if isinstance(path, Path)
    ]


def add_project(parser: argparse.ArgumentParser, *, table: str = "") -> None:
    """The options that `project_of` reads. A command that is about one `table` has it as an argument."""
    if table:
        parser.add_argument(
            "partitions",
            type=path,
            nargs="?",
            metavar=table,
            help="CSV, binary table or flash dump (default: the project's)",
        )
    group = parser.add_argument_group("the project")
    if not table:
        group.add_argument(
            "--partitions", type=path, metavar="CSV", help="partition table (default: the project's)"
        )
    group.add_argument("--partition", metavar="NAME", help="the factory partition (default: fctry)")
    group.add_argument("--chip", metavar="CHIP", help="esp32, esp32c3, … (default: that of the sdkconfig)")
    group.add_argument(
        "--sdkconfig", type=path, metavar="FILE", help="sdkconfig, sdkconfig.defaults or sdkconfig.json"
    )
    add_table_offset(group)
    group.add_argument(
        "--flash-size", dest="flash_size_bytes", type=size, metavar="SIZE", help="4MB, 16MB, …"
    )
    group.add_argument(
        "--build", type=path, metavar="DIR", help="ESP-IDF build folder, or its flasher_args.json"
    )
    group.add_argument(
        "--idf", type=idf, metavar="VERSION", help="ESP-IDF release, v5.3 or later (default: the newest)"
    )
    group.add_argument(
        "--secure-boot", choices=("v1", "v2"), help="applications are signed for this secure boot"
    )
    group.add_argument(
        "--no-md5",
        dest="md5",
        action="store_const",
        const=False,
        help="no MD5 row: for boot loaders before v3.1",
    )
    group.add_argument(
        "--recovery-bootloader-offset", type=integer, metavar="N", help="of the recovery boot loader"
    )
    group.add_argument(
        "--extra-subtype",
        dest="extra_subtypes",
        action="append",
        metavar="T,NAME,N",
        help="as in EXTRA_PARTITION_SUBTYPES",
    )


def add_table_offset(parser: argparse._ActionsContainer) -> None:
    """Where the partition table is."""
    parser.add_argument(
        "--table-offset", type=integer, metavar="N", help="of the table in flash (default: 0x8000)"
    )


def project_of(args: argparse.Namespace) -> Project:
    """The project that the options of `add_project` describe. Raises InputError."""
    import os
    from dataclasses import fields, replace

    from fctry.project import Settings, open_project
    from fctry.settings import find_settings

    names = {field.name for field in fields(Settings)}
    said = {name: value for name, value in vars(args).items() if name in names and value is not None}
    found = find_settings(said.get("partitions"))
    return open_project(replace(found, **said), variables=os.environ)
