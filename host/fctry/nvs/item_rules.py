"""Rules about entries, each by itself and what they say together: namespaces, keys, strings, blobs, types."""

from __future__ import annotations

from collections.abc import Iterator

from fctry.findings import ERROR, INFO, WARNING, Finding
from fctry.nvs.contents import Contents
from fctry.nvs.format import CHUNK_ANY, NAMESPACE_NS_INDEX, VERSION_OFFSETS, DataType, PageState, entry_hash
from fctry.nvs.reader import Entry
from fctry.nvs.rule import REBUILD, RECOVERED, TOOL, NvsRule

ENTRY_TYPE = NvsRule("nvs-entry-type", ERROR, "a type that does not exist: likewise", TOOL)
ENTRY_SPAN = NvsRule(
    "nvs-entry-span", ERROR, "a span that does not go with the size, or leaves the page: likewise", TOOL
)
ENTRY_CHUNK = NvsRule(
    "nvs-entry-chunk", ERROR, "a chunk index, or a size of a blob, that cannot be: likewise", TOOL
)
ENTRY_STATE = NvsRule("nvs-entry-state", ERROR, "state `01`, which does not exist", REBUILD)
SPAN_STATE = NvsRule(
    "nvs-span-state",
    WARNING,
    "the power went while a value of several entries was written",
    RECOVERED,
    read_only=ERROR,
)
DATA_CRC = NvsRule("nvs-data-crc", ERROR, "CRC of a value: reading it fails", REBUILD)


@NvsRule("nvs-entry-crc", ERROR, "CRC of an entry: the item is dropped", REBUILD)
def entry_crc(contents: Contents, read_only: bool) -> Iterator[Finding]:
    """The faults of entries, whichever it is: the reader tells at most one of each."""
    for entry in contents.entries:
        if entry.fault:
            rule, message = FAULTS[entry.fault]
            yield rule.at(_where(entry), message.format(entry=entry))


FAULTS = {
    "crc": (entry_crc, "crc of the entry is wrong"),
    "type": (ENTRY_TYPE, "type {entry.type:#04x} does not exist"),
    "span": (
        ENTRY_SPAN,
        "span {entry.span} does not go with the size of its value, or leaves the page",
    ),
    "chunk": (ENTRY_CHUNK, "chunk number or size of a blob that cannot be"),
    "state": (ENTRY_STATE, "state of the entry does not exist"),
    "span-state": (SPAN_STATE, "key {entry.key!r}: not all entries of its value are written"),
    "data": (DATA_CRC, "key {entry.key!r}: crc of the value is wrong"),
}


def _where(entry: Entry) -> str:
    return f"page {entry.page} entry {entry.number}"


@NvsRule(
    "nvs-hash-collision", ERROR, "two keys that the firmware takes for one", "rename one of the two keys"
)
def hash_collision(contents: Contents, read_only: bool) -> Iterator[Finding]:
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
            yield hash_collision.at(_where(entry), message)


NAMESPACE_DUPLICATE = NvsRule(
    "nvs-namespace-duplicate", ERROR, "two namespaces with one name or one number", TOOL
)
NAMESPACE_EMPTY = NvsRule(
    "nvs-namespace-empty", INFO, "a namespace without keys", "remove it if it is not meant to be there"
)


@NvsRule("nvs-namespace-number", ERROR, "a namespace without a number, or with 0 or 255", TOOL)
def namespace_number(contents: Contents, read_only: bool) -> Iterator[Finding]:
    by_number: dict[int, Entry] = {}
    by_name: dict[str, Entry] = {}
    used = {ns_index for ns_index, _ in contents.keys}
    for entry in contents.names:
        number = entry.data[0]
        if entry.type != DataType.U8 or number in (NAMESPACE_NS_INDEX, 0xFF):
            yield namespace_number.at(_where(entry), f"namespace {entry.key!r} has no valid number")
        elif number in by_number or entry.key in by_name:
            yield NAMESPACE_DUPLICATE.at(_where(entry), f"namespace {entry.key!r} ({number}) is there twice")
        elif number not in used:
            yield NAMESPACE_EMPTY.at(_where(entry), f"namespace {entry.key!r} has no keys")
        by_number.setdefault(number, entry)
        by_name.setdefault(entry.key, entry)


NAMESPACE_MISSING = NvsRule(
    "nvs-namespace-missing", ERROR, "keys in a namespace that has no name: never read", TOOL
)
ENTRY_LOST = NvsRule(
    "nvs-entry-lost",
    ERROR,
    "a chunk index where none belongs: the firmware lists the key and does not find it",
    TOOL,
)
KEY_EMPTY = NvsRule("nvs-key-empty", WARNING, "a key of no characters", TOOL)


@NvsRule("nvs-duplicate-key", ERROR, "a key, or a chunk, that is there twice", "remove or rename one of them")
def duplicate_key(contents: Contents, read_only: bool) -> Iterator[Finding]:
    for (ns_index, _), entries in contents.keys.items():
        entry = entries[0]
        if ns_index not in contents.namespaces:
            message = f"key {entry.key!r} is in namespace {ns_index}, which has no name: the firmware never reads it"
            yield NAMESPACE_MISSING.at(_where(entry), message)
        if entry.chunk_index != CHUNK_ANY:
            message = (
                f"key {entry.key!r} has chunk_index {entry.chunk_index:#04x}: the firmware looks for 0xff"
            )
            yield ENTRY_LOST.at(_where(entry), message)
        if not entry.key:
            yield KEY_EMPTY.at(_where(entry), "the key is empty")
        for duplicate in entries[1:]:
            name = contents.namespaces.get(ns_index, ns_index)
            message = f"key {entry.key!r} in namespace {name!r} is at {_where(entry)} too"
            yield duplicate_key.at(_where(duplicate), message)
    for chunks in contents.chunks.values():
        for duplicate in chunks[1:]:
            message = (
                f"chunk {duplicate.chunk_index:#04x} of key {duplicate.key!r} is at {_where(chunks[0])} too"
            )
            yield duplicate_key.at(_where(duplicate), message)


@NvsRule("nvs-key-tail", ERROR, "bytes behind the NUL of a name: such a key is never found", TOOL)
def key_tail(contents: Contents, read_only: bool) -> Iterator[Finding]:
    """The firmware's hash is that of all 16 bytes; a look-up fills up with zeros. Namespaces it compares without."""
    for entry in contents.entries:
        if entry.fault in ("", "data") and entry.raw_key != entry.id[1].ljust(len(entry.raw_key), b"\0"):
            message = f"key {entry.key!r} has bytes behind its end: the firmware never finds it"
            if entry.ns_index == NAMESPACE_NS_INDEX:
                message = f"namespace {entry.key!r} has bytes behind its end: not every reader finds it"
            yield key_tail.at(_where(entry), message)


STRING_NUL = NvsRule(
    "nvs-string-nul", WARNING, "a NUL within a string: firmware stops there", "store it as a blob"
)
STRING_UTF8 = NvsRule(
    "nvs-string-utf8", WARNING, "a string that is not UTF-8", "store it as a blob, or in UTF-8"
)


@NvsRule("nvs-string-end", ERROR, "a string without its NUL: firmware reads on", TOOL)
def string_end(contents: Contents, read_only: bool) -> Iterator[Finding]:
    for entry in contents.entries:
        if entry.type != DataType.SZ or entry.fault:
            continue
        text, has_nul, rest = entry.payload.partition(b"\0")
        if not has_nul:
            yield string_end.at(_where(entry), f"key {entry.key!r}: string without NUL at its end")
        elif rest:
            yield STRING_NUL.at(_where(entry), f"key {entry.key!r}: string with a NUL in it")
        try:
            text.decode()
        except UnicodeDecodeError:
            yield STRING_UTF8.at(_where(entry), f"key {entry.key!r}: string that is not UTF-8")


BLOB_START = NvsRule("nvs-blob-start", ERROR, "chunk indices that begin neither at 0 nor at 128", TOOL)
BLOB_ORPHAN = NvsRule(
    "nvs-blob-orphan", WARNING, "chunks that belong to no index", RECOVERED, read_only=ERROR
)
BLOB_CUT = NvsRule(
    "nvs-blob-cut",
    ERROR,
    "the power went between a blob's chunk and its index: the firmware drops the old value too",
    REBUILD,
)


@NvsRule("nvs-blob-incomplete", ERROR, "chunks missing, too many, or of the wrong size", REBUILD)
def blob_incomplete(contents: Contents, read_only: bool) -> Iterator[Finding]:
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
                yield BLOB_START.at(_where(entry), message)
            if not blob.is_whole:
                found = f"{len(blob.chunks)} of {chunk_count} chunks for {size_bytes} bytes"
                yield blob_incomplete.at(_where(entry), f"blob {entry.key!r}: {found}")
    for (ns_index, key, chunk_index), chunks in contents.chunks.items():
        if not any(chunk_index in claim for claim in claims.get((ns_index, key), ())):
            message = f"chunk {chunks[0].chunk_index:#04x} of blob {chunks[0].key!r} belongs to no index"
            yield (BLOB_CUT if _takes_another(contents, chunks[-1]) else BLOB_ORPHAN).at(
                _where(chunks[0]), message
            )


def _takes_another(contents: Contents, chunk: Entry) -> bool:
    """Whether the firmware takes an older chunk of the blob for an older copy of this one, and erases it.

    It compares the last item of the active page with those before it, by namespace, type and key alone.
    Source: ESP-IDF v5.5.5 components/nvs_flash/src/nvs_page.cpp, Page::mLoadEntryTable.
    """
    if chunk is not contents.entries[-1] or contents.pages[chunk.page].state is not PageState.ACTIVE:
        return False
    return any(
        one.id == chunk.id and one.type == chunk.type and one.page == chunk.page and one is not chunk
        for one in contents.entries
    )


BLOB_V1 = NvsRule(
    "nvs-blob-v1",
    INFO,
    "a blob of version 1: `nvs_entry_find` does not list it",
    "nvs_get_blob reads it, nvs_entry_find does not list it; version 2 is listed",
)


@NvsRule(
    "nvs-float",
    INFO,
    "float or double: firmware before v6.1 drops it, and does not mount a read-only partition with it",
    "firmware before v6.1 drops it, and does not mount a read-only partition with it",
    read_only=WARNING,
)
def fraction(contents: Contents, read_only: bool) -> Iterator[Finding]:
    """Types that not every firmware reads, once each."""
    first: dict[NvsRule, Entry] = {}
    for entry in contents.entries:
        if not entry.fault and entry.type in (DataType.FLOAT, DataType.DOUBLE):
            first.setdefault(fraction, entry)
        elif not entry.fault and entry.type == DataType.BLOB:
            first.setdefault(BLOB_V1, entry)
    for rule, entry in first.items():
        kind = "a blob of version 1" if rule is BLOB_V1 else "a number with a fraction"
        yield rule.at(_where(entry), f"key {entry.key!r} is {kind}")
