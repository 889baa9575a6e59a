from __future__ import annotations

from fctry.nvs import Item, ItemType, diff

A = Item("n", "a", ItemType.U8, 1)
B = Item("n", "b", ItemType.U8, 1)


def test_equal_partitions_do_not_differ_whatever_the_order() -> None:
    assert diff([A, B], [B, A]) == []


def test_added_removed_and_changed_keys_are_told() -> None:
    changed = Item("n", "b", ItemType.U16, 1)
    added = Item("m", "a", ItemType.U8, 1)
    assert [
        (one.kind, one.namespace, one.key, one.before, one.after) for one in diff([A, B], [changed, added])
    ] == [
        ("removed", "n", "a", A, None),
        ("changed", "n", "b", B, changed),
        ("added", "m", "a", None, added),
    ]
