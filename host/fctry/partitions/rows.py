"""The lines of a partition CSV, each field read as gen_esp32part.py reads it, and every line of them.

Source: ESP-IDF v5.5.5 components/partition_table/gen_esp32part.py.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from typing import NamedTuple

from fctry.findings import ERROR, Finding
from fctry.partitions.keywords import (
    FLAGS,
    SUBTYPE_SINCE,
    TYPE_SINCE,
    IdfVersion,
    Keywords,
    read_number,
    version_name,
)
from fctry.partitions.options import Options
from fctry.partitions.rule import LayoutRule
from fctry.partitions.table import (
    APP,
    BOOTLOADER,
    DATA_UNDEFINED,
    PARTITION_TABLE,
    PRIMARY,
    RECOVERY,
    TABLE_SECTOR_BYTES,
)

# In gen_esp32part.py's order, in which the mark of UTF-16 hides that of UTF-32 in little endian
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF32_BE, "utf-32"),
)

BYTE_ORDER_MARKS_SINCE: IdfVersion = (5, 4)  # exactly: v5.4.2

VARIABLE = re.compile(r"\$(\w+|\{[^}]*\})", re.ASCII)
UNKNOWN_VARIABLE = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")
DECIMAL_FRACTION = re.compile(r"(\d+)\.(\d+)([KkMm])")
WITH_BYTES = re.compile(r"(\w+?[KkMm])(i?[Bb])")

COLUMNS = 6

ENCODING = LayoutRule("layout-encoding", ERROR, "the file is text in UTF-8, UTF-16 or UTF-32", enforced=True)
UNSET_VARIABLE = LayoutRule(
    "layout-variable", ERROR, "a variable at the start of a line is set", enforced=True
)
SEPARATORS = {";": "`;`", "\t": "a tab"}
FIELD_MISSING = LayoutRule(
    "layout-field-missing", ERROR, "type, size and an application's subtype are given", enforced=True
)
NUMBER = LayoutRule(
    "layout-number", ERROR, "offsets and sizes are whole numbers of bytes, K or M", enforced=True
)
KEYWORD = LayoutRule("layout-keyword", ERROR, "types and subtypes are known names or numbers", enforced=True)
FLAG = LayoutRule(
    "layout-flag", ERROR, "flags are encrypted and readonly, separated by a colon", enforced=True
)
RANGE = LayoutRule("layout-range", ERROR, "every number fits its field in the binary table", enforced=True)
IDF = LayoutRule("layout-idf", ERROR, "the project's ESP-IDF knows what the CSV uses", enforced=True)
BOOTLOADER_OFFSET = LayoutRule(
    "layout-bootloader-offset", ERROR, "the offsets of boot loader entries are known", enforced=True
)


class Row(NamedTuple):
    """One line that is not empty and no comment.

    `fields` are its six columns as written, `extra` what follows them. `offset` is None when it is to be filled
    in, `size_bytes` is negative when it is an end address. `is_complete` is False when a field could not be read;
    a number that could not is None.
    """

    line: int
    fields: tuple[str, ...]
    extra: tuple[str, ...]
    type: int | None
    subtype: int | None
    offset: int | None
    size_bytes: int | None
    encrypted: bool
    readonly: bool
    is_complete: bool

    @property
    def name(self) -> str:
        return self.fields[0]


def decode(data: bytes, idf: IdfVersion) -> tuple[str, list[Finding]]:
    """The text of a CSV file, by its byte-order mark or else UTF-8."""
    encoding = next((name for mark, name in BYTE_ORDER_MARKS if data.startswith(mark)), "utf-8")
    if data.startswith(codecs.BOM_UTF32_LE):
        return "", [ENCODING.at(0, "the file is UTF-32 in little endian", "save it as UTF-8")]
    if encoding != "utf-8" and idf < BYTE_ORDER_MARKS_SINCE:
        message = f"a byte-order mark needs ESP-IDF {version_name(BYTE_ORDER_MARKS_SINCE)}"
        return "", [IDF.at(1, message, "save the file as UTF-8 without byte-order mark")]
    try:
        return data.decode(encoding), []
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"byte {error.start} is not {encoding.upper().removesuffix('-SIG')}"
        return "", [ENCODING.at(line, message, "save the file as UTF-8")]


def read_rows(text: str, options: Options) -> tuple[list[Row], list[Finding]]:
    """All rows of `text`, and what is wrong with their fields, each by itself."""
    rows: list[Row] = []
    findings: list[Finding] = []
    keywords = options.keywords.known_to(options.idf)
    for number, line in enumerate(text.splitlines(), 1):
        expanded = _expand(line, options.variables)
        if unknown := UNKNOWN_VARIABLE.match(expanded):
            message = f"the variable `{unknown[1]}` is not set"
            findings.append(UNSET_VARIABLE.at(number, message, f"set it: {unknown[1]}=… fctry layout …"))
            continue
        expanded = expanded.strip()
        if expanded and not expanded.startswith("#"):
            rows.append(_RowReader(number, expanded, options, keywords, findings).read())
    return rows, findings


def _expand(line: str, variables: Mapping[str, str]) -> str:
    if "$" not in line:
        return line
    return VARIABLE.sub(lambda found: variables.get(found[1].strip("{}"), found[0]), line)


class _RowReader:
    """Reads the fields of one line from left to right, because each depends on those before it."""

    def __init__(
        self, line: int, text: str, options: Options, keywords: Keywords, findings: list[Finding]
    ) -> None:
        fields = [field.strip() for field in text.split(",")]
        self.line = line
        self.extra = tuple(fields[COLUMNS:])
        self.fields = tuple((fields + [""] * COLUMNS)[:COLUMNS])
        self.options = options
        self.keywords = keywords
        self.findings = findings
        self.is_complete = True

    def read(self) -> Row:
        type_ = self._type()
        subtype = self._subtype(type_)
        offset = self._offset(type_, subtype)
        size_bytes = self._size(type_)
        flags = self._flags()
        return Row(
            line=self.line,
            fields=self.fields,
            extra=self.extra,
            type=type_,
            subtype=subtype,
            offset=offset,
            size_bytes=size_bytes,
            encrypted="encrypted" in flags,
            readonly="readonly" in flags,
            is_complete=self.is_complete,
        )

    def _problem(self, rule: LayoutRule, message: str, hint: str) -> None:
        self.is_complete = False
        self.findings.append(rule.at(self.line, message, hint))

    def _type(self) -> int | None:
        text = self.fields[1]
        if not text:
            message, hint = "the type is missing", "write app or data in the second column"
            if separator := next((name for one, name in SEPARATORS.items() if one in self.fields[0]), ""):
                message, hint = (
                    f"columns are separated by {separator}",
                    "save it with commas: ESP-IDF reads no other",
                )
            self._problem(FIELD_MISSING, message, hint)
            return None
        known = self.options.keywords.types
        return self._keyword("type", text, self.keywords.types, TYPE_SINCE.get(known.get(text.lower(), -1)))

    def _subtype(self, type_: int | None) -> int | None:
        text = self.fields[2]
        if text:
            if type_ is None:
                return None  # whether it is a good name depends on the type, which has its own problem
            known = self.options.keywords.subtypes_of(type_).get(text.lower(), -1)
            names = self.keywords.subtypes_of(type_)
            return self._keyword("subtype", text, names, SUBTYPE_SINCE.get((type_, known)))
        if type_ == APP:
            hint = "write factory, ota_0 to ota_15 or test in the third column"
            self._problem(FIELD_MISSING, "the subtype of an application is missing", hint)
            return None
        return DATA_UNDEFINED

    def _offset(self, type_: int | None, subtype: int | None) -> int | None:
        if not self.options.places_primary_entries:
            return self._number("offset", self.fields[3]) if self.fields[3] else None
        if type_ == BOOTLOADER and subtype == PRIMARY:
            return self._configured("primary", self.options.primary_bootloader_offset)
        if type_ == BOOTLOADER and subtype == RECOVERY:
            return self._configured("recovery", self.options.recovery_bootloader_offset)
        if type_ == PARTITION_TABLE and subtype == PRIMARY:
            return self.options.table_offset
        return self._number("offset", self.fields[3]) if self.fields[3] else None

    def _size(self, type_: int | None) -> int | None:
        places = self.options.places_primary_entries
        if type_ == BOOTLOADER and places:
            primary = self.options.primary_bootloader_offset
            if primary is None:
                self._configured("primary", None)
                return None
            return self.options.table_offset - primary
        if type_ == PARTITION_TABLE and places:
            return TABLE_SECTOR_BYTES
        if not self.fields[4]:
            if not any(self.fields[1:]):  # told already
                self.is_complete = False
                return None
            hint = "write it in the fifth column: bytes, 0x…, or a whole number of K or M"
            self._problem(FIELD_MISSING, "the size is missing", hint)
            return None
        return self._number("size", self.fields[4])

    def _flags(self) -> frozenset[str]:
        flags = frozenset(flag for flag in self.fields[5].split(":") if flag)
        for flag in sorted(flags - FLAGS.keys()):
            hint = (
                "flags are `encrypted`, `readonly` or `encrypted:readonly`; a comment has a line of its own"
            )
            self._problem(FLAG, f"unknown flag `{flag}`", hint)
        return flags

    def _configured(self, which: str, offset: int | None) -> int | None:
        if offset is None and not any(
            p.rule is BOOTLOADER_OFFSET and p.line == self.line for p in self.findings
        ):
            message = f"the offset of the {which} boot loader is not known"
            option = "--chip" if which == "primary" else "--recovery-bootloader-offset"
            self._problem(BOOTLOADER_OFFSET, message, f"give {option}, or --sdkconfig")
        return offset

    def _keyword(
        self, column: str, text: str, names: Mapping[str, int], since: IdfVersion | None
    ) -> int | None:
        try:
            value = read_number(text, names)
        except ValueError:
            if since and since > self.options.idf:
                needed, used = version_name(since), version_name(self.options.idf)
                message = f"the {column} `{text}` needs ESP-IDF {needed}, the project has {used}"
                self._problem(IDF, message, f"use ESP-IDF {needed} or later, or remove the line")
                return None
            self._problem(KEYWORD, f"unknown {column} `{text}`", _keyword_hint(text, names))
            return None
        if not 0 <= value <= 0xFF:
            self._problem(RANGE, f"the {column} {text} is not in 0 to 0xFF", "choose a number from 0 to 0xFE")
            return None
        return value

    def _number(self, column: str, text: str) -> int | None:
        try:
            return read_number(text)
        except ValueError:
            self._problem(NUMBER, f"the {column} `{text}` is not a number", _number_hint(text))
            return None


def _keyword_hint(text: str, names: Mapping[str, int]) -> str:
    if not names:
        return "write a number: this type has no named subtypes"
    import difflib  # only for a table that is wrong: a third of the time of a check otherwise

    close = difflib.get_close_matches(text.lower(), names, n=1)
    known = "known are " + ", ".join(names)
    return f"did you mean `{close[0]}`? {known}" if close else known


def _number_hint(text: str) -> str:
    if fraction := DECIMAL_FRACTION.fullmatch(text):
        factor = 1024 if fraction[3] in "Mm" else 1
        kilobytes = float(f"{fraction[1]}.{fraction[2]}") * factor
        if kilobytes == int(kilobytes):
            return f"write {int(kilobytes)}K: only whole numbers of K and M are read"
        return f"write {int(kilobytes * 1024)}: only whole numbers of K and M are read"
    if unit := WITH_BYTES.fullmatch(text):
        return f"write {unit[1]}"
    return "write bytes as 24576 or 0x6000, or a whole number of K (1024) or M (1048576)"
