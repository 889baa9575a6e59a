"""`fctry image build`, `batch` and `capacity`."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

from fctry.cli.files import keep_inputs, write_file
from fctry.cli.image_keys import keys_of
from fctry.cli.project import project_of
from fctry.errors import InputError
from fctry.nvs.batch import read_batch, write_batch
from fctry.nvs.capacity import Capacity, measure
from fctry.nvs.checker import check
from fctry.nvs.csv import Sheet, read_sheet
from fctry.nvs.encoder import Layout
from fctry.nvs.encryption import encrypt
from fctry.project import PARTITIONS_FILE


class Target(NamedTuple):
    """The partition that the image is for."""

    size_bytes: int
    read_only: bool
    version: int


def build(args: argparse.Namespace) -> int:
    keep_inputs([Path(args.output)], [*args.csv, args.keys, args.hmac_key])
    target = _target(args)
    sheet = _sheet(args.csv)
    image = _layout(sheet, target).encode([item.value for item in sheet.items])
    for finding in check(image, read_only=target.read_only):
        print(
            f"{finding.severity.value}: {finding.where}: {finding.message}: {finding.hint}", file=sys.stderr
        )
    keys = keys_of(args)
    write_file(Path(args.output), encrypt(image, keys) if keys else image)
    encrypted = ", encrypted" if keys else ""
    print(f"{args.output}: {len(sheet.items)} keys, {_room(_used(sheet, target))}{encrypted}")
    return 0


def batch(args: argparse.Namespace) -> int:
    target = _target(args)
    sheet = _sheet([args.csv])
    devices = read_batch(sheet, args.values, name_column=args.name)
    keys = keys_of(args)
    written = write_batch(
        _layout(sheet, target),
        devices,
        Path(args.output),
        finish=(lambda image: encrypt(image, keys)) if keys else bytes,
    )
    try:
        count = sum(1 for _ in written)
    except OSError as error:
        raise InputError(
            f"cannot write: {error.strerror}", hint="check the folder", file=error.filename
        ) from None
    print(f"{args.output}: {count} images of {target.size_bytes:#x} bytes")
    return 0


def capacity(args: argparse.Namespace) -> int:
    used = _used(_sheet(args.csv), _target(args))
    if args.json:
        print(json.dumps({**asdict(used), "fits": used.fits}, indent=2))
        return 0 if used.fits else 1
    width = max(len("namespace"), *(len(use.name) for use in used.namespaces))
    print(f"{'namespace':{width}}  {'keys':>6}  {'bytes':>7}  {'entries':>7}")
    for use in used.namespaces:
        print(f"{use.name:{width}}  {use.keys:6}  {use.value_bytes:7}  {use.entries:7}")
    print(f"{_room(used)}, {used.entries_lost} lost at the ends of pages")
    print(f"free: {used.entries_free} entries" if used.fits else f"too many by {-used.entries_free} entries")
    print(f"smallest partition that holds it: {used.smallest_size_bytes:#x} bytes")
    return 0 if used.fits else 1


def _sheet(csvs: list[str]) -> Sheet:
    sheet = read_sheet(*csvs)
    if not sheet.items and not sheet.namespaces:
        hint = "give a namespace and its keys, such as `device,namespace,,` and `serial,data,string,1`"
        raise InputError("no keys", hint=hint, file=csvs[-1])
    return sheet


def _layout(sheet: Sheet, target: Target) -> Layout:
    return Layout(
        sheet.items,
        target.size_bytes,
        version=target.version,
        read_only=target.read_only,
        namespaces=sheet.namespaces,
    )


def _used(sheet: Sheet, target: Target) -> Capacity:
    return measure(
        sheet.items,
        target.size_bytes,
        version=target.version,
        read_only=target.read_only,
        namespaces=sheet.namespaces,
    )


def _room(used: Capacity) -> str:
    return f"{used.entries_used} of {used.entries_total} entries of a partition of {used.size_bytes:#x} bytes"


def _target(args: argparse.Namespace) -> Target:
    """Size in bytes and whether it is read-only: as asked for, or as the partition table says."""
    if args.size is not None:
        return Target(args.size, args.read_only, args.nvs_version)
    project = project_of(args)
    if project.settings.partitions == PARTITIONS_FILE and not PARTITIONS_FILE.exists():
        raise InputError(
            "size of the partition unknown", hint="give --size 0x6000, or --partitions partitions.csv"
        )
    partition = project.factory_partition
    return Target(partition.size_bytes, partition.readonly or args.read_only, args.nvs_version)
