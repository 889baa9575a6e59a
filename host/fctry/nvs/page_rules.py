"""Rules about the partition and its pages: states, headers, sequence, and the entries that are free."""

from __future__ import annotations

from collections.abc import Iterator

from fctry.findings import ERROR, INFO, WARNING, Finding
from fctry.nvs.contents import Contents
from fctry.nvs.format import (
    ENTRIES_OFFSET,
    ENTRY_COUNT,
    ENTRY_SIZE_BYTES,
    PAGE_HEADER,
    PAGE_SIZE_BYTES,
    READ_WRITE_PAGES_MIN,
    VERSION_BYTES,
    EntryState,
    PageState,
)
from fctry.nvs.reader import Page
from fctry.nvs.rule import REBUILD, RECOVERED, TOOL, NvsRule

BLANK = b"\xff" * ENTRY_SIZE_BYTES

SIZE = NvsRule(
    "nvs-size",
    ERROR,
    "not a number of whole pages",
    "read the whole partition: its size is in the partition table",
)
ENCRYPTED = NvsRule(
    "nvs-encrypted",
    ERROR,
    "no entry has a right CRC: encrypted, or damaged",
    "give its keys with --keys",
)
WRONG_KEY = NvsRule(
    "nvs-wrong-key",
    ERROR,
    "the same after it was decrypted",
    "these are the keys of another partition, or it is not encrypted",
)


@NvsRule(
    "nvs-too-small",
    ERROR,
    "fewer than three pages, and written to",
    "enlarge the partition to 0x3000, or flag it readonly",
    read_only=INFO,
)
def too_small(contents: Contents, read_only: bool) -> Iterator[Finding]:
    size_bytes = len(contents.pages) * PAGE_SIZE_BYTES
    if len(contents.pages) < READ_WRITE_PAGES_MIN and not read_only:
        yield too_small.at("partition", f"{size_bytes:#x} bytes are too few to be written to")


@NvsRule("nvs-empty", INFO, "no page is in use", "flash an image into it")
def empty(contents: Contents, read_only: bool) -> Iterator[Finding]:
    if all(page.state is PageState.UNINITIALIZED for page in contents.pages):
        yield empty.at("partition", "no page is in use")


@NvsRule(
    "nvs-no-free-page",
    ERROR,
    "every page is in use: ESP_ERR_NVS_NO_FREE_PAGES",
    "store less, enlarge the partition, or flag it readonly",
    read_only=INFO,
)
def no_free_page(contents: Contents, read_only: bool) -> Iterator[Finding]:
    if contents.pages and all(page.is_loaded for page in contents.pages) and not read_only:
        yield no_free_page.at("partition", "all pages are in use: the firmware does not mount it")


@NvsRule("nvs-page-sequence", ERROR, "two pages with one sequence number", TOOL)
def sequence(contents: Contents, read_only: bool) -> Iterator[Finding]:
    sequences: dict[int, int] = {}
    for page in contents.pages:
        if not page.is_loaded:
            continue
        if page.sequence in sequences:
            message = f"sequence number {page.sequence} is that of page {sequences[page.sequence]} too"
            yield sequence.at(f"page {page.number}", message)
        sequences.setdefault(page.sequence, page.number)


@NvsRule("nvs-page-active", WARNING, "an active page that is not the newest", TOOL)
def active(contents: Contents, read_only: bool) -> Iterator[Finding]:
    loaded = [page for page in contents.pages if page.is_loaded]
    newest = max(loaded, key=lambda page: page.sequence, default=None)
    for page in loaded:
        if page.state is PageState.ACTIVE and page is not newest:
            yield active.at(f"page {page.number}", "active, but there are newer pages")


PAGE_STATE = NvsRule("nvs-page-state", ERROR, "a state that does not exist: likewise", REBUILD)
PAGE_VERSION = NvsRule(
    "nvs-page-version",
    ERROR,
    "a version newer than any firmware: ESP_ERR_NVS_NEW_VERSION_FOUND",
    "the format is newer than any firmware: erase the partition",
)
PAGE_NOT_ERASED = NvsRule(
    "nvs-page-not-erased",
    WARNING,
    "a page marked as unused that is not blank",
    "nothing to do: the firmware erases the page before it uses it",
    read_only=ERROR,
)
PAGE_FREEING = NvsRule(
    "nvs-page-freeing",
    WARNING,
    "the power went while a page was freed",
    "nothing to do: the firmware goes on where the power was lost",
    read_only=ERROR,
)
ENTRY_HALF_WRITTEN = NvsRule(
    "nvs-entry-half-written", WARNING, "the power went while an entry was written", RECOVERED, read_only=ERROR
)
ENTRY_NOT_ERASED = NvsRule(
    "nvs-entry-not-erased",
    ERROR,
    "an entry marked as free that is not blank: what is written there will be damaged",
    REBUILD,
    read_only=WARNING,
)
ENTRY_HIDDEN = NvsRule(
    "nvs-entry-hidden", ERROR, "an entry behind a free one, where the firmware does not look", REBUILD
)


@NvsRule("nvs-page-crc", ERROR, "CRC of a page header: the page is given up, with all that is in it", REBUILD)
def page_crc(contents: Contents, read_only: bool) -> Iterator[Finding]:
    """What is wrong with each page, first with its header, then with the entries that it does not use."""
    for page in contents.pages:
        yield from _page(page)


def _page(page: Page) -> Iterator[Finding]:
    where = f"page {page.number}"
    if page.state is PageState.CORRUPT:
        raw_state = PAGE_HEADER.unpack_from(page.data)[0]
        if raw_state == PageState.UNINITIALIZED:
            yield PAGE_NOT_ERASED.at(where, "marked as unused, but not blank")
        elif page.is_crc_right:
            yield PAGE_STATE.at(where, f"state {raw_state:#010x} does not exist")
        else:
            yield page_crc.at(where, "crc of the page header is wrong: the firmware gives the page up")
        return
    if not page.is_loaded:
        return
    if page.version_byte < min(VERSION_BYTES.values()):
        message = f"version byte {page.version_byte:#04x} is newer than any firmware: it mounts nothing"
        yield PAGE_VERSION.at(where, message)
    if page.state is PageState.FREEING:
        yield PAGE_FREEING.at(where, "the power was lost while its items were moved to another page")
    yield from _free_entries(page)


def _free_entries(page: Page) -> Iterator[Finding]:
    """Entries marked as free: they must be blank, and in the active page no used ones may follow."""
    is_next_free = page.state is PageState.ACTIVE
    for number in range(page.visible_count, ENTRY_COUNT):
        where = f"page {page.number} entry {number}"
        offset = ENTRIES_OFFSET + number * ENTRY_SIZE_BYTES
        data = page.data[offset : offset + ENTRY_SIZE_BYTES]
        if page.states[number] != EntryState.EMPTY:
            yield ENTRY_HIDDEN.at(where, "behind a free entry, where the firmware does not look")
        elif is_next_free and data[:4] != BLANK[:4]:
            yield ENTRY_HALF_WRITTEN.at(where, "the power was lost while it was written")
            continue
        elif data != BLANK:
            yield ENTRY_NOT_ERASED.at(where, "marked as free, but not blank")
        is_next_free = False
