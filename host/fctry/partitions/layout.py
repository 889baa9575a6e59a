"""A partition layout: the lines of a CSV, the partitions they describe, and what was wrong while reading them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from fctry.files import read_file
from fctry.findings import Finding
from fctry.partitions.options import Options
from fctry.partitions.placing import Entry, place
from fctry.partitions.rows import ENCODING, IDF, UNSET_VARIABLE, Row, decode, read_rows
from fctry.partitions.table import FACTORY_PARTITION, USER_PARTITION, Partition, PartitionTable

UNREADABLE = (ENCODING, UNSET_VARIABLE, IDF)
"""Broken by lines that did not even become a row."""


@dataclass(frozen=True)
class Layout:
    """What the rules look at.

    `entries` are the partitions whose type, offset and size are known, in the order of the CSV; `findings` is what
    kept the other `rows` from being one.
    """

    file: str
    rows: tuple[Row, ...]
    entries: tuple[Entry, ...]
    findings: tuple[Finding, ...]
    options: Options

    @property
    def is_binary(self) -> bool:
        """Whether it was read from a binary table, which has no lines."""
        return bool(self.entries) and not self.rows

    @property
    def is_complete(self) -> bool:
        """Whether every line could be read: only then does the absence of a partition mean something."""
        return len(self.entries) >= len(self.rows) and not any(
            one.rule in UNREADABLE for one in self.findings
        )

    @property
    def table(self) -> PartitionTable:
        entries = tuple(entry.partition for entry in self.entries)
        return PartitionTable(entries, self.file, self.options.table_offset)

    def is_placed(self, partition: Partition) -> bool:
        """Whether its place, before the end of the table, comes from the options and not from the CSV."""
        return partition.is_primary and self.options.places_primary_entries

    def factory_entries(self, name: str | None) -> list[Entry]:
        """The entries that hold factory data: the one called `name`; if that is None, `fctry`, or else NVS that is
        flagged readonly; for `none` there is none. Other NVS is written by whoever it belongs to: it is no guess.
        """
        others = [e for e in self.entries if e.partition.is_nvs and e.partition.name != USER_PARTITION]
        if named := [entry for entry in others if entry.partition.name == (name or FACTORY_PARTITION)]:
            return named
        return [] if name else [entry for entry in others if entry.partition.readonly]

    @property
    def by_offset(self) -> list[Entry]:
        """The entries in the order of their offsets."""
        return sorted(self.entries, key=lambda entry: entry.partition.offset)


def parse_layout(text: str, *, file: str | Path = "", options: Options | None = None) -> Layout:
    """The layout that the CSV in `text` describes; `file` is for messages only."""
    options = options or Options()
    rows, reading = read_rows(text, options)
    entries, placing = place(rows, options)
    return Layout(str(file), tuple(rows), tuple(entries), (*reading, *placing), options)


def read_layout(path: Path, options: Options | None = None) -> Layout:
    """The layout in the CSV file `path`. Raises InputError when it cannot be read at all."""
    return layout_of_csv(read_file(path), file=path, options=options)


def layout_of_csv(data: bytes, *, file: str | Path = "", options: Options | None = None) -> Layout:
    """The layout that the bytes of a CSV file describe."""
    options = options or Options()
    text, findings = decode(data, options.idf)
    layout = parse_layout(text, file=file, options=options)
    return replace(layout, findings=(*findings, *layout.findings))


def layout_of_table(table: PartitionTable, *, options: Options | None = None) -> Layout:
    """The layout of a table that was no CSV: the line of an entry is its place in the table, counted from 1."""
    entries = tuple(Entry(number, partition) for number, partition in enumerate(table, 1))
    return Layout(table.file, (), entries, (), options or Options())
