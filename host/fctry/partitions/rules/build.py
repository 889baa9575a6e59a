"""Rules about what a build flashes: does it fit the table, and does it leave the factory partition alone?

Source: ESP-IDF v5.5.5 components/partition_table/check_sizes.py for sizes; esptool erases whole sectors.
"""

from __future__ import annotations

from collections.abc import Iterator

from fctry.errors import FormatError
from fctry.partitions.binary import unpack
from fctry.partitions.flasher_args import TABLE_NAMES, FlasherArgs, FlashFile
from fctry.partitions.layout import Layout
from fctry.partitions.placing import APP_ALIGNMENT, align_up
from fctry.partitions.problems import Problem
from fctry.partitions.rules.recipe import factory_entries
from fctry.partitions.table import APP, SECTOR_BYTES


def problems(layout: Layout, build: FlasherArgs, factory: str | None) -> Iterator[Problem]:
    """What all rules of this module find. ``factory`` is the name of the factory partition when it was given."""
    yield from factory_untouched(layout, build, factory)
    yield from sizes(layout, build)
    yield from places(layout, build)
    yield from same_table(layout, build)
    yield from missing(build)
    yield from merged(layout, build, factory)


def factory_untouched(layout: Layout, build: FlasherArgs, name: str | None) -> Iterator[Problem]:
    for line, partition in factory_entries(layout, name):
        for file in build.files:
            if file.offset < partition.end and partition.offset < align_up(file.end, SECTOR_BYTES):
                message = f"the build flashes `{file.path.name}` to {file.offset:#x}-{file.end - 1:#x}, into "
                message += f"`{partition.name}` at {partition.offset:#x}: the device's own data are lost"
                hint = f"flash {file.name} elsewhere, or move `{partition.name}` behind it"
                if file.offset == partition.offset and file.name != "app":
                    hint = "take the image out of the build (FLASH_IN_PROJECT): each device needs its own"
                yield Problem("layout-build-factory", line, message, hint)


def sizes(layout: Layout, build: FlasherArgs) -> Iterator[Problem]:
    for file in build.files:
        limit = _limit(layout, file)
        if limit and file.end > limit[0]:
            message = f"`{file.path.name}` has {file.size_bytes or 0:#x} bytes, {file.end - limit[0]:#x} too many for "
            message += limit[1]
            place = next((e for e in layout.entries if e.partition.offset == file.offset), None)
            alignment = APP_ALIGNMENT if place and place.partition.type == APP else SECTOR_BYTES
            size = align_up(file.size_bytes or 0, alignment)
            hint = f"use the size {size:#x}, or make the file smaller" if place else "move the table up"
            yield Problem("layout-build-size", place.line if place else 0, message, hint)


def _limit(layout: Layout, file: FlashFile) -> tuple[int, str] | None:
    """The first address that a file must not reach, and what is there."""
    if file.offset < layout.options.table_offset:
        return layout.options.table_offset, "the space before the partition table"
    for _, partition in layout.entries:
        if partition.offset <= file.offset < partition.end:
            return partition.end, f"`{partition.name}`"
    return None


def places(layout: Layout, build: FlasherArgs) -> Iterator[Problem]:
    table_offset = layout.options.table_offset
    starts = {entry.partition.offset for entry in layout.entries}
    apps = sorted(e.partition.offset for e in layout.entries if e.partition.type == APP)
    for file in build.files:
        if file.name in TABLE_NAMES:
            if file.offset != table_offset:
                message = f"the build flashes its partition table to {file.offset:#x}, not {table_offset:#x}"
                hint = f"set CONFIG_PARTITION_TABLE_OFFSET={table_offset:#x}, or give --table-offset"
                yield Problem("layout-build-place", 0, message, hint, build.file)
        elif file.name == "app" and file.offset not in apps and layout.is_complete:
            message = f"the build flashes its application to {file.offset:#x}, where no application partition starts"
            hint = "build again after a change of the table" + (
                f": the first is at {apps[0]:#x}" if apps else ""
            )
            yield Problem("layout-build-place", 0, message, hint, build.file)
        elif file.offset > table_offset and file.offset not in starts and layout.is_complete:
            message = f"the build flashes `{file.path.name}` to {file.offset:#x}, where no partition starts"
            yield Problem(
                "layout-build-place", 0, message, "build again after a change of the table", build.file
            )


def same_table(layout: Layout, build: FlasherArgs) -> Iterator[Problem]:
    if build.table is None or not layout.is_complete or not layout.entries:
        return
    try:
        built = unpack(build.table)
    except FormatError as error:
        yield Problem(
            "layout-build-table", 0, f"the build's partition table: {error.message}", error.hint, build.file
        )
        return
    table = [partition.as_flashed for partition in layout.table]
    if list(built) != table:
        ours = {partition.name: partition for partition in table}
        theirs = {partition.name: partition for partition in built}
        names = [n for n in {**ours, **theirs} if ours.get(n) != theirs.get(n)]
        message = "the build was made with another table: it differs in " + ", ".join(f"`{n}`" for n in names)
        yield Problem("layout-build-table", 0, message, "build the project again", build.file)


def missing(build: FlasherArgs) -> Iterator[Problem]:
    for file in build.files:
        if file.size_bytes is None:
            message = f"`{file.path.name}` of the build is not there: its size is not checked"
            yield Problem("layout-build-missing", 0, message, "build the project", build.file)


def merged(layout: Layout, build: FlasherArgs, name: str | None) -> Iterator[Problem]:
    """A merged image has 0xFF between the files (esptool merge-bin), up to the end of the last one."""
    end = max((file.end for file in build.files), default=0)
    for line, partition in factory_entries(layout, name):
        if partition.offset < end and not any(f.offset == partition.offset for f in build.files):
            message = f"a merged image of this build covers 0x0-{end - 1:#x}, and `{partition.name}` at "
            message += f"{partition.offset:#x} with it: flashing one to a device wipes its factory data"
            hint = "flash the files one by one (idf.py flash), or move it behind the last application"
            yield Problem("layout-build-merged", line, message, hint)
