"""The ledger held against its journal: what each line says is done once more, and the tables must say the same.

A line that hands something out has a fingerprint of each device: SHA-256 of its row, without what changes later, of the
values that it claims and of its sealed secrets. Ledgers of fctry's first schema had none: the line `upgraded` has those
of all devices that there were by then, with their states, images and chips; nothing before it is done once more.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, func, select

from fctry.errors import LedgerError
from fctry.identity.ledger import journal
from fctry.identity.ledger.tables import CHIP_IDS, STATES, about, chip, claim, counter, device, sealed
from fctry.identity.ledger.tables import journal as lines

PAGE_ROWS = 400
UPGRADED = "upgraded"


FIXED = [column for column in device.c if column.name not in ("state", "image_sha256")]
_NAMES = [column.name for column in FIXED]
_as_text = json.JSONEncoder(sort_keys=True).encode


def fingerprint(row: Mapping[str, Any], claims: Iterable[tuple[str, bytes]], secrets: Iterable[bytes]) -> str:
    """That of a device: of its row, the scopes and values that it claims, and its sealed secrets, oldest first."""
    fixed = [row[name] for name in _NAMES]
    claimed = sorted([scope, bytes(value).hex()] for scope, value in claims)
    content = [fixed, claimed, [hashlib.sha256(data).hexdigest() for data in secrets]]
    return hashlib.sha256(_as_text(content).encode()).hexdigest()


def fingerprints(connection: Connection, ids: Sequence[int]) -> dict[str, str]:
    """The fingerprint of each of these devices as they are in the ledger, by its id as JSON has it."""
    found: dict[str, str] = {}
    for page in _pages(ids):
        claims: dict[int, list[tuple[str, bytes]]] = {id_: [] for id_ in page}
        columns = (claim.c.device, claim.c.scope, claim.c.value)
        for id_, scope, value in connection.execute(select(*columns).where(claim.c.device.in_(page))):
            claims[id_].append((scope, value))
        secrets: dict[int, list[bytes]] = {id_: [] for id_ in page}
        query = select(sealed.c.device, sealed.c.data).order_by(sealed.c.generation)
        for id_, data in connection.execute(query.where(sealed.c.device.in_(page))):
            secrets[id_].append(data)
        for row in connection.execute(select(*FIXED).where(device.c.id.in_(page))):
            found[str(row.id)] = fingerprint(row._asdict(), claims[row.id], secrets[row.id])
    return found


@dataclass
class _Told:
    """What the journal tells of a device."""

    fingerprint: str
    state: str = "reserved"
    image_sha256: str | None = None
    chip: dict[str, str] = field(default_factory=dict)


def check(connection: Connection) -> int:
    """How many lines the journal has. Raises LedgerError for a line or a row that is not what was written."""
    length = journal.check_chain(connection)
    told: dict[int, _Told] = {}
    skipped: dict[str, int] = {}
    upgraded = _upgraded(connection)
    for line in journal.entries(connection):
        if line.event == "created":
            _check_about(connection, line.data)
        elif line.event == "restore accepted":
            skipped.update(line.data["counters"])
        elif line.event == UPGRADED:
            told = {int(id_): _Told(**one) for id_, one in line.data["devices"].items()}
        elif line.seq > upgraded:
            _tell(told, line)
    count = connection.execute(select(func.count()).select_from(device)).scalar_one()
    if count != len(told):
        raise _changed(f"the journal tells of {len(told)} devices, the ledger has {count}")
    for page in _pages(sorted(told)):
        _check_devices(connection, page, told)
    _check_counters(connection, skipped)
    return length


def has_unproven(connection: Connection) -> bool:
    """Whether devices are in the ledger whose fingerprint the journal has not: an older fctry has reserved them."""
    reserved = select(lines.c.seq).where(lines.c.event == "reserved", lines.c.seq > _upgraded(connection))
    return connection.scalar(reserved.where(lines.c.data.not_like('%"given":{%')).limit(1)) is not None


def _upgraded(connection: Connection) -> int:
    """The number of the last line `upgraded`, or 0."""
    return connection.scalar(select(func.max(lines.c.seq)).where(lines.c.event == UPGRADED)) or 0


def all_told(connection: Connection) -> dict[str, dict[str, Any]]:
    """What there is of each device, by its id as JSON has it: what the line `upgraded` says."""
    found: dict[str, dict[str, Any]] = {}
    for page in _pages(list(connection.scalars(select(device.c.id).order_by(device.c.id)))):
        states, chips = _states(connection, page), _chips(connection, page)
        for id_, fingerprint in fingerprints(connection, page).items():
            state, image_sha256 = states[int(id_)]
            told = _Told(fingerprint, state, image_sha256, chips.get(int(id_), {}))
            found[id_] = vars(told)
    return found


def _states(connection: Connection, ids: Sequence[int]) -> dict[int, tuple[str, str | None]]:
    columns = (device.c.id, device.c.state, device.c.image_sha256)
    rows = connection.execute(select(*columns).where(device.c.id.in_(ids)))
    return {row.id: (row.state, row.image_sha256) for row in rows}


def _chips(connection: Connection, ids: Sequence[int]) -> dict[int, dict[str, str]]:
    rows = connection.execute(select(chip).where(chip.c.device.in_(ids))).mappings()
    return {row["device"]: {name: row[name] for name in CHIP_IDS if row[name]} for row in rows}


def _tell(told: dict[int, _Told], line: journal.Entry) -> None:
    for id_, fingerprint in line.data.get("given", {}).items():
        told.setdefault(int(id_), _Told("")).fingerprint = fingerprint
    if line.event in STATES and line.event != "reserved":
        for id_, image_sha256 in line.data["devices"].items():
            one = told[int(id_)]
            one.state, one.image_sha256 = line.event, image_sha256 or one.image_sha256
    elif line.event == "bound":
        told[line.data["device"]].chip.update(
            {name: line.data[name] for name in CHIP_IDS if name in line.data}
        )


def _check_about(connection: Connection, created: Mapping[str, Any]) -> None:
    row = connection.execute(select(about)).mappings().one()
    if any(created.get(name) != value for name, value in row.items()):
        raise _changed("its kind, its keys or its recipients are not those that it was made with")


def _check_devices(connection: Connection, ids: Sequence[int], told: Mapping[int, _Told]) -> None:
    there, states, chips = fingerprints(connection, ids), _states(connection, ids), _chips(connection, ids)
    for id_ in ids:
        one = told[id_]
        if there.get(str(id_)) != one.fingerprint:
            raise _changed(f"device {id_} has not the values, claims and secrets that it was given")
        if states[id_] != (one.state, one.image_sha256):
            raise _changed(f"device {id_} is not {one.state} as the journal says, or its image is another")
        if chips.get(id_, {}) != one.chip:
            raise _changed(f"device {id_} is bound to another chip than the journal says")
    strangers = set(chips) - set(ids)
    if strangers:
        raise _changed(f"device {min(strangers)} is in no line of the journal")


def _check_counters(connection: Connection, skipped: Mapping[str, int]) -> None:
    reached = dict(skipped)
    last = 0
    for row in connection.execute(select(device.c.id, device.c.counters).order_by(device.c.id)):
        last = row.id
        for name, number in row.counters.items():
            reached[name] = max(reached.get(name, 0), number + 1)
    reached["device"] = max(reached.get("device", 0), last + 1)  # the counter of the ledger's own numbers
    for name, following in connection.execute(select(counter.c.name, counter.c.next)):
        if following < reached.pop(name, 0):
            raise _changed(f"the counter {name!r} was set back: it would hand out numbers again")
    if last and reached:
        raise _changed(f"the counter {min(reached)!r} is gone")


def _pages(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    return (ids[start : start + PAGE_ROWS] for start in range(0, len(ids), PAGE_ROWS))


def _changed(what: str) -> LedgerError:
    return LedgerError(
        what, hint="rows were changed, added or removed by hand: take the ledger from a backup"
    )
