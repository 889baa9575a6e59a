"""Rules about what a build flashes: does it fit the table, and does it leave the factory partition alone?

Source: ESP-IDF v5.5.5 components/partition_table/check_sizes.py for sizes; esptool erases whole sectors.
"""

from __future__ import annotations

from collections.abc import Iterator

from fctry.errors import FormatError
from fctry.findings import ERROR, WARNING, Finding
from fctry.partitions.binary import unpack
from fctry.partitions.flasher_args import TABLE_NAMES, FlashFile
from fctry.partitions.layout import Layout
from fctry.partitions.placing import APP_ALIGNMENT, align_up
from fctry.partitions.rule import Evidence, LayoutRule, Needs
from fctry.partitions.table import APP, SECTOR_BYTES


@LayoutRule(
    "layout-build-factory", ERROR, "the build flashes nothing into the factory partition", needs=Needs.BUILD
)
def factory(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    for line, partition in layout.factory_entries(evidence.factory):
        for file in evidence.flashed:
            if file.offset < partition.end and partition.offset < align_up(file.end, SECTOR_BYTES):
                message = f"the build flashes `{file.path.name}` to {file.offset:#x}-{file.end - 1:#x}, into "
                message += f"`{partition.name}` at {partition.offset:#x}: the device's own data are lost"
                hint = f"flash {file.name} elsewhere, or move `{partition.name}` behind it"
                if file.offset == partition.offset and file.name != "app":
                    hint = "take the image out of the build (FLASH_IN_PROJECT): each device needs its own"
                yield factory.at(line, message, hint)


@LayoutRule("layout-build-size", ERROR, "what the build flashes fits its place", needs=Needs.BUILD)
def size(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    for file in evidence.flashed:
        limit = _limit(layout, file)
        if limit and file.end > limit[0]:
            message = f"`{file.path.name}` has {file.size_bytes or 0:#x} bytes, {file.end - limit[0]:#x} too many for "
            message += limit[1]
            entry = next((e for e in layout.entries if e.partition.offset == file.offset), None)
            alignment = APP_ALIGNMENT if entry and entry.partition.type == APP else SECTOR_BYTES
            needed = align_up(file.size_bytes or 0, alignment)
            hint = f"use the size {needed:#x}, or make the file smaller" if entry else "move the table up"
            yield size.at(entry.line if entry else 0, message, hint)


def _limit(layout: Layout, file: FlashFile) -> tuple[int, str] | None:
    """The first address that a file must not reach, and what is there."""
    if file.offset < layout.options.table_offset:
        return layout.options.table_offset, "the space before the partition table"
    for _, partition in layout.entries:
        if partition.offset <= file.offset < partition.end:
            return partition.end, f"`{partition.name}`"
    return None


@LayoutRule("layout-build-place", ERROR, "the build flashes to where partitions start", needs=Needs.BUILD)
def place(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    table_offset = layout.options.table_offset
    starts = {entry.partition.offset for entry in layout.entries}
    apps = sorted(e.partition.offset for e in layout.entries if e.partition.type == APP)
    for file in evidence.flashed:
        if file.name in TABLE_NAMES:
            if file.offset != table_offset:
                message = f"the build flashes its partition table to {file.offset:#x}, not {table_offset:#x}"
                hint = f"set CONFIG_PARTITION_TABLE_OFFSET={table_offset:#x}, or give --table-offset"
                yield place.at(0, message, hint, _file(evidence))
        elif file.name == "app" and file.offset not in apps and layout.is_complete:
            message = f"the build flashes its application to {file.offset:#x}, where no application partition starts"
            hint = "build again after a change of the table" + (
                f": the first is at {apps[0]:#x}" if apps else ""
            )
            yield place.at(0, message, hint, _file(evidence))
        elif file.offset > table_offset and file.offset not in starts and layout.is_complete:
            message = f"the build flashes `{file.path.name}` to {file.offset:#x}, where no partition starts"
            yield place.at(0, message, "build again after a change of the table", _file(evidence))


def _file(evidence: Evidence) -> str:
    return evidence.build.file if evidence.build else ""


@LayoutRule("layout-build-table", ERROR, "the build's partition table is this one", needs=Needs.BUILD)
def table(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    build = evidence.build
    if not build or build.table is None or not layout.is_complete or not layout.entries:
        return
    try:
        built = unpack(build.table)
    except FormatError as error:
        yield table.at(0, f"the build's partition table: {error.message}", error.hint, build.file)
        return
    flashed = [partition.as_flashed for partition in layout.table]
    if list(built) != flashed:
        ours = {partition.name: partition for partition in flashed}
        theirs = {partition.name: partition for partition in built}
        names = [n for n in {**ours, **theirs} if ours.get(n) != theirs.get(n)]
        message = "the build was made with another table: it differs in " + ", ".join(f"`{n}`" for n in names)
        yield table.at(0, message, "build the project again", build.file)


@LayoutRule("layout-build-missing", WARNING, "the files of the build are there", needs=Needs.BUILD)
def missing(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    for file in evidence.flashed:
        if file.size_bytes is None:
            message = f"`{file.path.name}` of the build is not there: its size is not checked"
            yield missing.at(0, message, "build the project", _file(evidence))


@LayoutRule(
    "layout-build-merged", WARNING, "a merged image leaves the factory partition alone", needs=Needs.BUILD
)
def merged(layout: Layout, evidence: Evidence) -> Iterator[Finding]:
    """A merged image has 0xFF between the files (esptool merge-bin), up to the end of the last one."""
    end = max((file.end for file in evidence.flashed), default=0)
    for line, partition in layout.factory_entries(evidence.factory):
        if partition.offset < end and not any(f.offset == partition.offset for f in evidence.flashed):
            message = f"a merged image of this build covers 0x0-{end - 1:#x}, and `{partition.name}` at "
            message += f"{partition.offset:#x} with it: flashing one to a device wipes its factory data"
            hint = "flash the files one by one (idf.py flash), or move it behind the last application"
            yield merged.at(line, message, hint)
