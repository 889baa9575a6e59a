"""Items that both implementations take: drawn so that pages fill up, turn, and end on awkward entries."""

from __future__ import annotations

from hypothesis import strategies as st

from fctry.nvs import Item, ItemType
from fctry.nvs.item import range_of

INTEGERS = [ItemType(name) for name in ("u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64")]
GENERATOR_SPECIAL = (
    "sta.ssid",
    "sta.pswd",
    "ap.ssid",
    "ap.passwd",
    "ap.authmode",
)  # it adds entries of its own
TEXT = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
NAMES = st.text(  # the generator breaks entries of keys beyond ASCII
    st.characters(min_codepoint=1, max_codepoint=127), min_size=1, max_size=15
).filter(lambda name: name not in GENERATOR_SPECIAL)


def _sizes(limit: int) -> st.SearchStrategy[int]:
    """Mostly short, some around multiples of an entry, some as large as allowed."""
    entries = (0, 1, 2, 30, 60, 61, 62, 63, 120, 123, 124, 125, 126, 250, 251)
    edges = [size for n in entries for size in (32 * n - 1, 32 * n, 32 * n + 1)]
    return st.one_of(
        st.integers(0, min(64, limit)),
        st.sampled_from([size for size in edges if 0 <= size <= limit]),
        st.integers(0, limit),
    )


def items_of(namespace: str, key: str, string_limit: int, blob_limit: int) -> st.SearchStrategy[Item]:
    integers = st.sampled_from(INTEGERS).flatmap(
        lambda item_type: st.builds(
            Item, st.just(namespace), st.just(key), st.just(item_type), st.integers(*range_of(item_type))
        )
    )
    ascii_strings = _sizes(string_limit - 1).flatmap(
        lambda size: st.sampled_from("ax~").map(lambda c: c * size)
    )
    strings = st.one_of(ascii_strings, st.text(TEXT, max_size=60)).map(
        lambda text: Item(namespace, key, ItemType.STR, text)
    )
    blobs = _sizes(blob_limit).flatmap(
        lambda size: st.integers(0, 255).map(
            lambda start: Item(namespace, key, ItemType.BLOB, bytes((start + i) % 256 for i in range(size)))
        )
    )
    return st.one_of(integers, strings, blobs)


@st.composite
def item_lists(draw: st.DrawFn, version: int) -> list[Item]:
    """Up to some dozens of items in up to four namespaces, grouped by namespace."""
    string_limit, blob_limit = (1984, 1984) if version == 1 else (3968, 9000)
    items: list[Item] = []
    for namespace in draw(st.lists(NAMES, min_size=1, max_size=4, unique=True)):
        for key in draw(st.lists(NAMES, max_size=draw(st.sampled_from([3, 12, 40])), unique=True)):
            items.append(draw(items_of(namespace, key, string_limit, blob_limit)))
    return items
