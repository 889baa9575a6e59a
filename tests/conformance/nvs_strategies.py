"""Items that both implementations take, so that pages fill up, turn, and end on awkward entries."""

from __future__ import annotations

from random import Random

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
LIMITS = {1: (1983, 1984), 2: (3967, 20_000)}  # version -> longest string, largest blob
TEXT = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
NAMES = st.text(  # the generator breaks entries of keys beyond ASCII
    st.characters(min_codepoint=1, max_codepoint=127), min_size=1, max_size=15
).filter(lambda name: name not in GENERATOR_SPECIAL)
EDGES = [
    32 * n + d for n in (0, 1, 2, 30, 60, 61, 62, 63, 120, 123, 124, 125, 126, 250, 251) for d in (-1, 0, 1)
]


@st.composite
def item_lists(draw: st.DrawFn, version: int) -> list[Item]:
    """Small lists with every character in names and strings, grouped by namespace."""
    string_limit, blob_limit = LIMITS[version]
    items: list[Item] = []
    for namespace in draw(st.lists(NAMES, min_size=1, max_size=3, unique=True)):
        for key in draw(st.lists(NAMES, max_size=6, unique=True)):
            item_type = draw(st.sampled_from([*INTEGERS, ItemType.STR, ItemType.BLOB]))
            if item_type is ItemType.STR:
                value = draw(st.text(TEXT, max_size=40)) * draw(st.sampled_from([1, 1, 20]))
                assert len(value.encode()) <= string_limit + 1000
                value = value.encode()[:string_limit].decode(errors="ignore")
            elif item_type is ItemType.BLOB:
                value = draw(st.binary(max_size=40)) * draw(st.sampled_from([1, 1, 40, 400]))
                value = value[:blob_limit]
            else:
                value = draw(st.integers(*range_of(item_type)))
            items.append(Item(namespace, key, item_type, value))
    return items


def many_items(seed: int, version: int) -> list[Item]:
    """Some dozens of items over many pages; mostly short, some to the edges of entries and pages.

    Drawn from a seed: ten times faster than from hypothesis piece by piece, at the price of no shrinking.
    """
    random = Random(seed)
    string_limit, blob_limit = LIMITS[version]
    share = random.choice([0.2, 0.5, 0.9])  # of numbers
    items: list[Item] = []
    for namespace in range(random.randint(1, 4)):
        for number in range(random.choice([2, 15, 50])):
            if random.random() < share:
                item_type = random.choice(INTEGERS)
                value: int | str | bytes = random.randint(*range_of(item_type))
            elif random.random() < 0.6:
                item_type = ItemType.STR
                value = random.choice("a~é€")[:1] * _size(random, string_limit)
                value = value.encode()[:string_limit].decode(errors="ignore")
            else:
                item_type = ItemType.BLOB
                value = random.randbytes(_size(random, blob_limit))
            items.append(Item(f"ns{namespace}", f"k{number}", item_type, value))
    return items


def _size(random: Random, limit: int) -> int:
    size = random.choice(
        [random.randint(0, 64), random.randint(0, 64), random.choice(EDGES), random.randint(0, 5000)]
    )
    return max(0, min(size, limit))
