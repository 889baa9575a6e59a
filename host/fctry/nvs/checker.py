"""Everything that is wrong with an NVS partition, judged as the firmware would.

Each check is a generator of problems over the pages or the contents; `problems.RULES` says how bad each one is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from fctry.errors import FormatError
from fctry.nvs.contents import Contents, read
from fctry.nvs.format import (
    CHUNK_ANY,
    ENTRIES_OFFSET,
    ENTRY_COUNT,
    ENTRY_SIZE_BYTES,
    NAMESPACE_NS_INDEX,
    PAGE_HEADER,
    PAGE_SIZE_BYTES,
    READ_WRITE_PAGES_MIN,
    VERSION_BYTES,
    VERSION_OFFSETS,
    DataType,
    EntryState,
    PageState,
    entry_hash,
)
from fctry.nvs.problems import RULES
from fctry.nvs.reader import Entry, Page

if TYPE_CHECKING:
    from fctry.findings import Finding

BLANK = b"\xff" * ENTRY_SIZE_BYTES


class Problem(NamedTuple):
    """A code of `problems.RULES`, where, and what exactly."""

    code: str
    where: str
    message: str


def check(image: bytes, *, read_only: bool = False, is_decrypted: bool = False) -> list[Finding]:
    """All that is wrong with an image, or a dump of a device's partition. Never raises.

    ``read_only``: the partition is flagged so in the partition table. ``is_decrypted``: the image has been decrypted,
    so entries that make no sense mean wrong keys.
    """
    try:
        contents = read(image)
    except FormatError as error:
        return [finding(Problem("nvs-size", "partition", error.message), read_only)]
    return [finding(problem, read_only) for problem in problems(contents, read_only, is_decrypted)]


def finding(problem: Problem, read_only: bool) -> Finding:
    """A problem with its severity and its remedy."""
    from fctry.findings import Finding, Severity  # costs as much as a check that finds nothing

    rule = RULES[problem.code]
    severity = rule.severity_read_only if read_only else rule.severity
    return Finding(problem.code, Severity(severity), problem.where, problem.message, rule.hint)


def problems(contents: Contents, read_only: bool = False, is_decrypted: bool = False) -> list[Problem]:
    """All problems, in the order of the checks: partition, pages, entries, what the entries say."""
    found = [*_partition(contents, read_only)]
    for page in contents.pages:
        found += _page(page)
    if _is_gibberish(contents):
        code = "nvs-wrong-key" if is_decrypted else "nvs-encrypted"
        return [
            *found,
            Problem(code, "partition", f"none of {len(contents.entries)} entries has a valid crc"),
        ]
    for entry in contents.entries:
        if entry.fault:
            found.append(_fault(entry))
    for check_contents in (_hashes, _names, _keys, _strings, _blobs, _types):
        found += check_contents(contents)
    return found


def _is_gibberish(contents: Contents) -> bool:
    return bool(contents.entries) and all(entry.fault == "crc" for entry in contents.entries)


def _partition(contents: Contents, read_only: bool) -> Iterator[Problem]:
    pages = contents.pages
    loaded = [page for page in pages if page.is_loaded]
    if len(pages) < READ_WRITE_PAGES_MIN and not read_only:
        yield Problem(
            "nvs-too-small",
            "partition",
            f"{len(pages) * PAGE_SIZE_BYTES:#x} bytes are too few to be written to",
        )
    if all(page.state is PageState.UNINITIALIZED for page in pages):
        yield Problem("nvs-empty", "partition", "no page is in use")
    elif len(loaded) == len(pages) and not read_only:
        yield Problem("nvs-no-free-page", "partition", "all pages are in use: the firmware does not mount it")
    sequences: dict[int, int] = {}
    for page in loaded:
        if page.sequence in sequences:
            message = f"sequence number {page.sequence} is that of page {sequences[page.sequence]} too"
            yield Problem("nvs-page-sequence", f"page {page.number}", message)
        sequences.setdefault(page.sequence, page.number)
    newest = max(loaded, key=lambda page: page.sequence, default=None)
    for page in loaded:
        if page.state is PageState.ACTIVE and page is not newest:
            yield Problem("nvs-page-active", f"page {page.number}", "active, but there are newer pages")


def _page(page: Page) -> Iterator[Problem]:
    where = f"page {page.number}"
    if page.state is PageState.CORRUPT:
        raw_state = PAGE_HEADER.unpack_from(page.data)[0]
        if raw_state == PageState.UNINITIALIZED:
            yield Problem("nvs-page-not-erased", where, "marked as unused, but not blank")
        elif page.is_crc_right:
            yield Problem("nvs-page-state", where, f"state {raw_state:#010x} does not exist")
        else:
            yield Problem(
                "nvs-page-crc", where, "crc of the page header is wrong: the firmware gives the page up"
            )
        return
    if not page.is_loaded:
        return
    if page.version_byte < min(VERSION_BYTES.values()):
        message = f"version byte {page.version_byte:#04x} is newer than any firmware: it mounts nothing"
        yield Problem("nvs-page-version", where, message)
    if page.state is PageState.FREEING:
        yield Problem(
            "nvs-page-freeing", where, "the power was lost while its items were moved to another page"
        )
    yield from _free_entries(page)


def _free_entries(page: Page) -> Iterator[Problem]:
    """Entries marked as free: they must be blank, and in the active page no used ones may follow."""
    is_next_free = page.state is PageState.ACTIVE
    for number in range(page.visible_count, ENTRY_COUNT):
        where = f"page {page.number} entry {number}"
        offset = ENTRIES_OFFSET + number * ENTRY_SIZE_BYTES
        data = page.data[offset : offset + ENTRY_SIZE_BYTES]
        if page.states[number] != EntryState.EMPTY:
            yield Problem("nvs-entry-hidden", where, "behind a free entry, where the firmware does not look")
        elif is_next_free and data[:4] != BLANK[:4]:
            yield Problem("nvs-entry-half-written", where, "the power was lost while it was written")
            continue
        elif data != BLANK:
            yield Problem("nvs-entry-not-erased", where, "marked as free, but not blank")
        is_next_free = False


FAULTS = {
    "crc": ("nvs-entry-crc", "crc of the entry is wrong"),
    "type": ("nvs-entry-type", "type {entry.type:#04x} does not exist"),
    "span": (
        "nvs-entry-span",
        "span {entry.span} does not go with the size of its value, or leaves the page",
    ),
    "chunk": ("nvs-entry-chunk", "chunk number or size of a blob that cannot be"),
    "state": ("nvs-entry-state", "state of the entry does not exist"),
    "span-state": ("nvs-span-state", "key {entry.key!r}: not all entries of its value are written"),
    "data": ("nvs-data-crc", "key {entry.key!r}: crc of the value is wrong"),
}


def _fault(entry: Entry) -> Problem:
    code, message = FAULTS[entry.fault]
    return Problem(code, _where(entry), message.format(entry=entry))


def _where(entry: Entry) -> str:
    return f"page {entry.page} entry {entry.number}"


def _hashes(contents: Contents) -> Iterator[Problem]:
    """In an active page the firmware takes entries with equal hashes for duplicates, and drops the earlier one."""
    seen: dict[tuple[int, int], Entry] = {}
    for entry in contents.entries:
        if contents.pages[entry.page].state is not PageState.ACTIVE or entry.fault not in ("", "data"):
            continue
        entry_id = entry.page, entry_hash(entry.ns_index, entry.raw_key, entry.chunk_index)
        earlier = seen.setdefault(entry_id, entry)
        if (earlier.id, earlier.chunk_index) != (entry.id, entry.chunk_index):
            message = (
                f"keys {earlier.key!r} and {entry.key!r} have the same hash: the firmware drops the first"
            )
            yield Problem("nvs-hash-collision", _where(entry), message)


def _names(contents: Contents) -> Iterator[Problem]:
    by_number: dict[int, Entry] = {}
    by_name: dict[str, Entry] = {}
    used = {ns_index for ns_index, _ in contents.keys}
    for entry in contents.names:
        number = entry.data[0]
        if entry.type != DataType.U8 or number in (NAMESPACE_NS_INDEX, 0xFF):
            yield Problem(
                "nvs-namespace-number", _where(entry), f"namespace {entry.key!r} has no valid number"
            )
        elif number in by_number or entry.key in by_name:
            yield Problem(
                "nvs-namespace-duplicate", _where(entry), f"namespace {entry.key!r} ({number}) is there twice"
            )
        elif number not in used:
            yield Problem("nvs-namespace-empty", _where(entry), f"namespace {entry.key!r} has no keys")
        by_number.setdefault(number, entry)
        by_name.setdefault(entry.key, entry)


def _keys(contents: Contents) -> Iterator[Problem]:
    for (ns_index, _), entries in contents.keys.items():
        entry = entries[0]
        if ns_index not in contents.namespaces:
            message = f"key {entry.key!r} is in namespace {ns_index}, which has no name: the firmware never reads it"
            yield Problem("nvs-namespace-missing", _where(entry), message)
        if entry.chunk_index != CHUNK_ANY:
            message = (
                f"key {entry.key!r} has chunk_index {entry.chunk_index:#04x}: the firmware looks for 0xff"
            )
            yield Problem("nvs-entry-lost", _where(entry), message)
        if not entry.key:
            yield Problem("nvs-key-empty", _where(entry), "the key is empty")
        for duplicate in entries[1:]:
            name = contents.namespaces.get(ns_index, ns_index)
            message = f"key {entry.key!r} in namespace {name!r} is at {_where(entry)} too"
            yield Problem("nvs-duplicate-key", _where(duplicate), message)
    for chunks in contents.chunks.values():
        for duplicate in chunks[1:]:
            message = (
                f"chunk {duplicate.chunk_index:#04x} of key {duplicate.key!r} is at {_where(chunks[0])} too"
            )
            yield Problem("nvs-duplicate-key", _where(duplicate), message)


def _strings(contents: Contents) -> Iterator[Problem]:
    for entry in contents.entries:
        if entry.type != DataType.SZ or entry.fault:
            continue
        text, has_nul, rest = entry.payload.partition(b"\0")
        if not has_nul:
            yield Problem(
                "nvs-string-end", _where(entry), f"key {entry.key!r}: string without NUL at its end"
            )
        elif rest:
            yield Problem("nvs-string-nul", _where(entry), f"key {entry.key!r}: string with a NUL in it")
        try:
            text.decode()
        except UnicodeDecodeError:
            yield Problem("nvs-string-utf8", _where(entry), f"key {entry.key!r}: string that is not UTF-8")


def _blobs(contents: Contents) -> Iterator[Problem]:
    claims: dict[tuple[int, bytes], list[range]] = {}
    for entries in contents.keys.values():
        for entry in entries:
            if entry.type != DataType.BLOB_IDX:
                continue
            blob = contents.blob(entry)
            size_bytes, chunk_count, start = entry.blob_index
            claims.setdefault(entry.id, []).append(range(start, start + chunk_count))
            if start not in VERSION_OFFSETS:
                message = f"blob {entry.key!r}: its chunks start at {start:#04x}, not at 0x00 or 0x80"
                yield Problem("nvs-blob-start", _where(entry), message)
            if not blob.is_whole:
                found = f"{len(blob.chunks)} of {chunk_count} chunks for {size_bytes} bytes"
                yield Problem("nvs-blob-incomplete", _where(entry), f"blob {entry.key!r}: {found}")
    for (ns_index, key, chunk_index), chunks in contents.chunks.items():
        if not any(chunk_index in claim for claim in claims.get((ns_index, key), ())):
            message = f"chunk {chunks[0].chunk_index:#04x} of blob {chunks[0].key!r} belongs to no index"
            yield Problem("nvs-blob-orphan", _where(chunks[0]), message)


def _types(contents: Contents) -> Iterator[Problem]:
    """Types that not every firmware reads, once each."""
    first: dict[str, Entry] = {}
    for entry in contents.entries:
        if entry.fault:
            continue
        if entry.type in (DataType.FLOAT, DataType.DOUBLE):
            first.setdefault("nvs-float", entry)
        elif entry.type == DataType.BLOB:
            first.setdefault("nvs-blob-v1", entry)
    for code, entry in first.items():
        kind = "a number with a fraction" if code == "nvs-float" else "a blob of version 1"
        yield Problem(code, _where(entry), f"key {entry.key!r} is {kind}")
