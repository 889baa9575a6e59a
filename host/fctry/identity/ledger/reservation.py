"""Reserving: numbers are taken, values drawn and claimed, in the one transaction that hands them out.

Nothing looks first: whether a value is free is what the UNIQUE constraint says when it is claimed.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, insert, select

from fctry.errors import InputError
from fctry.identity.draft import Claim, Context, CounterRange, Draft, Drawer, Product
from fctry.identity.ledger.database import execute_many
from fctry.identity.ledger.json_text import json_text
from fctry.identity.ledger.keys import IndexKey, as_json
from fctry.identity.ledger.tables import burnt, claim, counter, device
from fctry.identity.sources.mac import ADDRESS_SIZE_BYTES, BLOCK

DRAWS_MIN, DRAWS_S = 20, 20.0
"""How often, and how long, it is drawn for a device: the last free one of 4,096 values takes 2 s, and others wait."""
_IDS = "device"  # the counter of the ledger's own numbers


class Reserved(NamedTuple):
    """A device of the ledger with the values that it got. `row` is what the ledger has of it."""

    id: int
    number: int | None
    draft: Draft
    row: Mapping[str, Any] = MappingProxyType({})


def _insert(connection: Connection, table: Table) -> Any:
    """An INSERT of this database's own, which knows of conflicts: what the others have is not loaded."""
    return import_module(f"sqlalchemy.dialects.{connection.dialect.name}").insert(table)


def take(
    connection: Connection, name: str, count: int, numbers: CounterRange, *, wanted: int = 0
) -> list[int]:
    """Take the next numbers of a counter. Raises InputError when it has not so many, or `wanted`, any more."""
    wanted = max(wanted, count)
    step = count * numbers.step
    statement = _insert(connection, counter).values(name=name, next=numbers.first + step)
    statement = statement.on_conflict_do_update(
        index_elements=[counter.c.name], set_={"next": counter.c.next + step}
    ).returning(counter.c.next)
    after = int(connection.execute(statement).scalar_one())
    first = after - step
    if first + (wanted - 1) * numbers.step > numbers.last:
        left = max(0, (numbers.last - first) // numbers.step + 1)
        raise InputError(
            f"the counter {name!r} has {left} numbers left, not {wanted}",
            hint=f"it ends at {numbers.last}: give it a longer range in the spec",
        )
    if name.startswith(BLOCK):
        _check_apart(connection, name, first, after)
    if first < numbers.first or (first - numbers.first) % numbers.step:
        raise InputError(
            f"the counter {name!r} is at {first}, no number from {numbers.first} on in steps of {numbers.step}",
            hint="a range that has begun can be made longer, not begin elsewhere: give it another name",
        )
    return list(range(first, after, numbers.step))


def _check_apart(connection: Connection, name: str, first: int, after: int) -> None:
    """Raise InputError where devices have addresses of another block already that are in this one, derived ones too."""
    blocks = select(counter).where(counter.c.name.startswith(BLOCK), counter.c.name != name)
    for other in connection.execute(blocks):
        start = int(other.name.removeprefix(BLOCK), 16)
        if start < after and first < other.next:
            address, beginning = (
                one.to_bytes(ADDRESS_SIZE_BYTES, "big").hex(":").upper() for one in (max(start, first), start)
            )
            raise InputError(
                f"the address {address} was handed out already, of the block that begins at {beginning}",
                hint="two blocks have addresses in common: let products share one, by the same `start`",
            )


def reserve(
    connection: Connection,
    key: IndexKey,
    product: Product,
    drawer: Drawer,
    contexts: Sequence[Context],
    *,
    tool: str,
    batch: str | None = None,
    numbers: Sequence[int] = (),
    wanted: int = 0,
) -> list[Reserved]:
    """Reserve a device for each context; `numbers` are theirs in the batch, `wanted` are those to come and these.

    Raises InputError for a value that was handed out before, and for a counter at its end.
    """
    count = len(contexts)
    ids = take(connection, _IDS, count, CounterRange(1, 2**62))
    taken = {
        name: take(connection, name, count, range_, wanted=wanted) for name, range_ in drawer.counters.items()
    }
    counters = [{name: values[index] for name, values in taken.items()} for index in range(count)]
    drafts = dict(zip(ids, drawer.draw_each(counters, contexts), strict=True))
    again = {id_: (numbers_, context) for id_, numbers_, context in zip(ids, counters, contexts, strict=True)}
    settle(connection, key, drawer, drafts, again)
    rows: list[dict[str, Any]] = [
        {
            "id": id_,
            "product": product.name,
            "state": "reserved",
            "batch": batch,
            "number": numbers[index] if batch is not None else None,
            "counters": counters[index],
            "item_values": as_json(drafts[id_].values),
            "public": dict(drafts[id_].public),
            "spec_sha256": product.spec_sha256,
            "image_sha256": None,
            "tool": tool,
        }
        for index, id_ in enumerate(ids)
    ]
    execute_many(
        connection,
        insert(device),
        [
            {
                **row,
                "counters": json_text(row["counters"]),
                "item_values": json_text(row["item_values"]),
                "public": json_text(row["public"]),
            }
            for row in rows
        ],
    )
    return [Reserved(row["id"], row["number"], drafts[row["id"]], row) for row in rows]


def settle(
    connection: Connection,
    key: IndexKey,
    drawer: Drawer,
    drafts: dict[int, Draft],
    again: Mapping[int, tuple[Mapping[str, int], Context]],
    kept: Mapping[int, Mapping[str, Any]] | None = None,
) -> None:
    """Claim the drafts' values, drawing those anew of which one is another device's. Changes `drafts`.

    Claimed is in the end what the devices have, and nothing of what they would have had.
    """
    scopes: set[str] = set()
    began_s, draws = time.monotonic(), 0
    pending: Mapping[int, Draft] = drafts
    while pending:
        lost = _claim(connection, key, {id_: draft.claims for id_, draft in pending.items()})
        for one, owner in lost.values():
            _check_random(one, owner)
        scopes.update(one.scope for one, _ in lost.values())
        draws += 1
        if lost and draws >= DRAWS_MIN and time.monotonic() - began_s > DRAWS_S:
            raise InputError(
                f"no free value of {' or '.join(sorted(scopes))} was found in {draws} draws",
                hint="too few are left: give it more possibilities in the spec",
            )
        for id_ in lost:
            numbers, context = again[id_]
            drafts[id_] = drawer.draw(numbers, context._replace(prepared={}), (kept or {}).get(id_, {}))
        pending = {id_: drafts[id_] for id_ in lost}


def _check_random(one: Claim, owner: int | None) -> None:
    """Raise InputError for a claim that was lost and cannot be drawn anew."""
    if one.is_random:
        return
    if owner is None:
        raise InputError(
            f"a value of {one.scope!r} was handed out before a backup of the ledger was put back",
            hint="the ledger has lost the device that has it: give this one another",
        )
    raise InputError(
        f"a value of {one.scope!r} was handed out already: device {owner} has it",
        hint=f"each device needs its own: correct the input; `fctry ledger show {owner}` shows who has it",
    )


def _claim(
    connection: Connection, key: IndexKey, claims: Mapping[int, Sequence[Claim]]
) -> dict[int, tuple[Claim, int | None]]:
    """Claim the values of the devices that get all of theirs; of each other device: a claim, and who has the value."""
    with connection.begin_nested() as attempt:
        lost = _doubled(claims)
        lost |= _burnt(connection, key, claims)  # a burnt value is nobody's: it is not claimed
        lost |= _lost(connection, key, {id_: ones for id_, ones in claims.items() if id_ not in lost})
        if lost:  # what they have won is not theirs
            attempt.rollback()
    if lost:
        _lost(connection, key, {id_: ones for id_, ones in claims.items() if id_ not in lost})
    return lost


def _doubled(claims: Mapping[int, Iterable[Claim]]) -> dict[int, tuple[Claim, int | None]]:
    """Of each device that has one value in two fields which must differ: the claim that was drawn at random."""
    lost: dict[int, tuple[Claim, int | None]] = {}
    for id_, ones in claims.items():
        seen: dict[tuple[str, bytes], Claim] = {}
        for one in ones:
            first = seen.setdefault((one.scope, one.value), one)
            if first is not one:
                lost[id_] = (one if one.is_random else first), id_
    return lost


def _burnt(
    connection: Connection, key: IndexKey, claims: Mapping[int, Iterable[Claim]]
) -> dict[int, tuple[Claim, int | None]]:
    """Of each device with a value that a lost device may have: a claim. There are such after a backup was put back."""
    if connection.execute(select(burnt.c.tag).limit(1)).first() is None:
        return {}
    found: dict[int, tuple[Claim, int | None]] = {}
    for id_, ones in claims.items():
        tags = {key.tag(one.scope, key.stored(one), is_secret=one.is_secret): one for one in ones}
        for tag in connection.scalars(select(burnt.c.tag).where(burnt.c.tag.in_(tags))):
            if id_ not in found or found[id_][0].is_random:
                found[id_] = tags[tag], None
    return found


def _lost(
    connection: Connection, key: IndexKey, claims: Mapping[int, Iterable[Claim]]
) -> dict[int, tuple[Claim, int | None]]:
    """Claim these values; of each device that did not get all of its own: a claim, and which device has the value."""
    wanted = {(one.scope, key.stored(one), id_): one for id_, ones in claims.items() for one in ones}
    if not wanted:
        return {}
    rows = [dict(zip(("scope", "value", "device"), row, strict=True)) for row in wanted]
    statement = _insert(connection, claim).on_conflict_do_nothing()
    result = connection.execute(statement.returning(claim.c.scope, claim.c.value, claim.c.device), rows)
    won = {(row.scope, bytes(row.value), row.device) for row in result}
    lost: dict[int, tuple[Claim, int | None]] = {}
    for (scope, value, id_), one in wanted.items():
        if (scope, value, id_) in won:
            continue
        query = select(claim.c.device).where(claim.c.scope == scope, claim.c.value == value)
        owner = int(connection.execute(query).scalar_one())
        # of a device that was drawn anew, what it has already is its own; a claim that is not random comes first
        if owner != id_ and (id_ not in lost or lost[id_][0].is_random):
            lost[id_] = one, owner
    return lost


def handed_out(connection: Connection) -> dict[str, int]:
    """The next number of each counter."""
    return {row.name: row.next for row in connection.execute(select(counter))}
