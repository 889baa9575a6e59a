"""The ledger: who got what. One object over the database, the station's keys and its witness."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    String,
    bindparam,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)

from fctry.errors import InputError, LedgerError
from fctry.identity.draft import Context, Draft, Drawer, Product
from fctry.identity.ledger import audit, journal, keys
from fctry.identity.ledger.database import execute_many, place_of, reading, writing
from fctry.identity.ledger.memory import remember
from fctry.identity.ledger.reservation import Reserved, handed_out, reserve, settle
from fctry.identity.ledger.rows import Device, devices
from fctry.identity.ledger.tables import about, burnt, chip, claim, device, sealed
from fctry.identity.ledger.witness import Witness, check_files, check_witness, write_witness
from fctry.identity.sources.mac import ADDRESS, ADDRESS_SIZE_BYTES
from fctry.identity.station import Station
from fctry.nvs.item import Value

TURN_S = 0.2  # what a transaction should take at most, since others wait for it
CHUNK_MAX = 2000  # devices a transaction
STATEMENT_MAX = 400  # values in a statement, as every database takes them
HEXADECIMAL = re.compile(r"([0-9a-f]{2})+", re.IGNORECASE)
_NEXT = {
    "reserved": {"built", "flashed", "failed", "scrapped"},
    "built": {"flashed", "failed", "scrapped"},
    "flashed": {"built", "proven", "failed", "scrapped"},
    "proven": {"built", "flashed", "failed", "scrapped"},
    "failed": {"built", "flashed", "proven", "scrapped"},
    "scrapped": set(),
}


class Ledger:
    """An open ledger. Made by `create_ledger` or `open_ledger`; `close` it, or enter it as a context."""

    def __init__(self, engine: Engine, station: Station, tool: str) -> None:
        self._engine = engine
        self._station = station
        self._tool = tool
        self._turn: Connection | None = None
        self._chunk = 4  # devices in the next transaction
        self._handed: list[str] = []  # tags of the values of this transaction
        with reading(engine) as connection:
            row = connection.execute(select(about)).one()
        self.id: str = row.ledger
        self.secrets: str = row.secrets
        self.recipients: tuple[str, ...] = tuple(row.recipients)
        self._key = keys.index_key(station.folder, self.id, expected_id=row.index_key_id)

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """What is written in here is written together, or nothing of it: one transaction, one wait for the disk."""
        with self._writing() as self._turn:
            try:
                yield
            finally:
                self._turn = None

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        if self._turn is not None:
            yield self._turn
            return
        with writing(self._engine) as connection:
            check_witness(connection, self._station.folder, self.id)
            self._handed.clear()
            yield connection
            seen = witness_of(connection)
        remember(self._station.folder, self.id, self._handed)
        write_witness(self._station.folder, self.id, seen)  # before anybody gets what was handed out

    def _remember(self, drafts: Iterable[Draft]) -> None:
        """What the station remembers of values, for the day when a backup of the ledger is put back."""
        self._handed += [
            self._key.tag(one.scope, self._key.stored(one), is_secret=one.is_secret)
            for draft in drafts
            for one in draft.claims
        ]

    def burn(self, connection: Connection, tags: set[str]) -> int:
        """Hand out no value with one of these tags, but for those that the ledger knows; says how many they are."""
        for scope, value in connection.execute(select(claim.c.scope, claim.c.value)):
            tags.discard(self._key.tag(scope, bytes(value), is_secret=False))
        tags -= set(connection.scalars(select(burnt.c.tag)))
        if tags:
            connection.execute(insert(burnt), [{"tag": tag} for tag in sorted(tags)])
        return len(tags)

    # -- handing out

    def reserve(
        self,
        product: Product,
        drawer: Drawer,
        contexts: Sequence[Context],
        *,
        batch: str | None = None,
        numbers: Sequence[int] = (),
    ) -> Iterator[Reserved]:
        """Reserve a device for each context, in transactions of some; `numbers` are theirs in the batch.

        Raises InputError for a value that was handed out before or a counter at its end, LedgerError.
        """
        start = 0
        while start < len(contexts):
            part = contexts[start : start + self._chunk]
            with self._writing() as connection:
                began_s = time.monotonic()  # now that it is our turn
                reserved = reserve(
                    connection,
                    self._key,
                    product,
                    drawer,
                    part,
                    tool=self._tool,
                    batch=batch,
                    numbers=numbers[start : start + self._chunk],
                    wanted=len(contexts) - start,
                )
                sealed_secrets = self._seal(connection, {one.id: one.draft for one in reserved}, generation=1)
                given = {
                    str(one.id): audit.fingerprint(
                        one.row,
                        {(claim_.scope, self._key.stored(claim_)) for claim_ in one.draft.claims},
                        sealed_secrets.get(one.id, ()),
                    )
                    for one in reserved
                }
                data = self._station.said(part[0], product=product.name, batch=batch, given=given)
                journal.append(connection, "reserved", data, [one.id for one in reserved])
                self._remember(one.draft for one in reserved)
            start += len(part)
            if len(part) == self._chunk:  # some values take a quarter of a second to draw, others nothing
                in_time = round(len(part) * TURN_S / (time.monotonic() - began_s))
                self._chunk = min(max(in_time, 1), self._chunk * 8, CHUNK_MAX)
            yield from reserved

    def renew(self, device_id: int, drawer: Drawer, context: Context) -> Reserved:
        """Do what `renew_each` does to one device."""
        (renewed,) = self.renew_each({device_id: context}, drawer)
        return renewed

    def renew_each(self, contexts: Mapping[int, Context], drawer: Drawer) -> list[Reserved]:
        """These devices with the same public values and fresh secrets: nobody here can read the old ones.

        A public value that belongs together with a secret, as a certificate with its key, is a new one too. Raises
        InputError where there is no such device.
        """
        found: dict[int, Device] = {}
        for part in _parts(list(contexts)):
            found.update((one.id, one) for one in devices(self._engine, device.c.id.in_(part)))
        for device_id in contexts:
            if device_id not in found:
                raise _unknown(device_id)
        drafts = {
            id_: drawer.draw(found[id_].counters, context, found[id_].values)
            for id_, context in contexts.items()
        }
        fresh = {
            id_: draft
            for id_, draft in drafts.items()
            if draft.secrets or dict(draft.values) != found[id_].values
        }
        if fresh:
            again = {id_: (found[id_].counters, contexts[id_]) for id_ in fresh}
            with self._writing() as connection:
                settle(connection, self._key, drawer, fresh, again, {id_: found[id_].values for id_ in fresh})
                self._give_anew(connection, fresh, contexts)
        return [Reserved(id_, found[id_].number, fresh.get(id_, drafts[id_])) for id_ in contexts]

    def _give_anew(
        self, connection: Connection, drafts: Mapping[int, Draft], contexts: Mapping[int, Context]
    ) -> None:
        generations: dict[str, int] = {}
        for id_, draft in drafts.items():
            drawn = {"item_values": keys.as_json(draft.values), "public": dict(draft.public)}
            connection.execute(update(device).where(device.c.id == id_).values(drawn))
            latest = select(func.coalesce(func.max(sealed.c.generation), 0)).where(sealed.c.device == id_)
            generation = connection.execute(latest).scalar_one() + 1
            self._seal(connection, {id_: draft}, generation=generation)
            generations[str(id_)] = generation
        ids = sorted(drafts)
        given = audit.fingerprints(connection, ids)
        data = self._station.said(contexts[ids[0]], generations=generations, given=given)
        journal.append(connection, "secrets renewed", data, ids)
        self._remember(drafts.values())

    def _seal(
        self, connection: Connection, drafts: Mapping[int, Draft], *, generation: int
    ) -> dict[int, list[bytes]]:
        """Seal the secrets of these devices, where they are not forgotten. Returns what was sealed."""
        if self.secrets == "forgotten":
            return {}
        data = {
            id_: keys.seal(draft.secrets, self.recipients) for id_, draft in drafts.items() if draft.secrets
        }
        if data:
            rows = [{"device": id_, "generation": generation, "data": one} for id_, one in data.items()]
            connection.execute(insert(sealed), rows)
        return {id_: [one] for id_, one in data.items()}

    # -- what becomes of devices

    def record(
        self, devices: Mapping[int, str | None], state: str, *, context: Context | None = None, **why: Any
    ) -> None:
        """These devices, each with the SHA-256 of its image where that is known, are in this state now.

        `why` goes into the journal. Raises InputError for a step that no device takes, such as away from `scrapped`.
        """
        before = [one for one, following in _NEXT.items() if state in following or one == state != "scrapped"]
        with self._writing() as connection:
            rows = [{"one": id_, "digest": digest, "to": state} for id_, digest in devices.items()]
            known = func.coalesce(bindparam("digest", type_=String), device.c.image_sha256)
            ready = device.c.state.in_([literal_column(f"'{one}'") for one in before])
            changed = update(device).where(device.c.id == bindparam("one"), ready)
            changed = changed.values(state=bindparam("to"), image_sha256=known)
            with connection.begin_nested() as attempt:
                is_done = not rows or execute_many(connection, changed, rows) == len(rows)
                if not is_done:
                    attempt.rollback()
            if not is_done:
                device_id = min(set(devices) - _ready(connection, list(devices), before))
                if connection.scalar(select(device.c.id).where(device.c.id == device_id)) is None:
                    raise _unknown(device_id)
                raise InputError(
                    f"device {device_id} cannot become {state}",
                    hint=f"it must be {' or '.join(before)} for that: fctry ledger show {device_id}",
                )
            data = self._station.said(context, **why, devices=dict(devices))
            journal.append(connection, state, data, list(devices))

    def note(self, devices: Sequence[int], event: str, **what: Any) -> None:
        """Write into the journal that something happened to these devices which changes no state."""
        with self._writing() as connection:
            journal.append(connection, event, self._station.said(**what), list(dict.fromkeys(devices)))

    def bind(self, device_id: int, *, mac: str = "", unique_id: str = "", flash_id: str = "") -> None:
        """This device is this chip: its MAC, OPTIONAL_UNIQUE_ID and the flash chip's unique id, as far as known.

        None of them is unique: MACs come blank or twice. Raises InputError where there is no such device.
        """
        said = {"mac": mac.lower(), "unique_id": unique_id.lower(), "flash_id": flash_id.lower()}
        row: dict[str, Any] = {name: value for name, value in said.items() if value}
        if not row:
            return
        with self._writing() as connection:
            if connection.scalar(select(device.c.id).where(device.c.id == device_id)) is None:
                raise _unknown(device_id)
            if not connection.execute(update(chip).where(chip.c.device == device_id).values(row)).rowcount:
                connection.execute(insert(chip).values(device=device_id, **row))
            data = self._station.said(device=device_id, **row)
            journal.append(connection, "bound", data, [device_id])

    # -- looking

    def device(self, device_id: int) -> Device:
        """A device by its number in the ledger. Raises InputError where there is none."""
        found = list(devices(self._engine, device.c.id == device_id))
        if not found:
            raise _unknown(device_id)
        return found[0]

    def devices(
        self, *, state: str | None = None, batch: str | None = None, before: int | None = None
    ) -> Iterator[Device]:
        """All devices, or those in a state, of a batch or with lower ids, in the order in which they were reserved."""
        conditions = [device.c.state == state] if state else []
        conditions += [device.c.batch == batch] if batch else []
        conditions += [device.c.id < before] if before else []
        yield from devices(self._engine, *conditions)

    def numbers(self, batch: str) -> dict[int, tuple[int, str]]:
        """The devices of a batch by their number in it: id and state."""
        with reading(self._engine) as connection:
            query = select(device.c.number, device.c.id, device.c.state).where(device.c.batch == batch)
            return {row.number: (row.id, row.state) for row in connection.execute(query)}

    def find(self, *values: str) -> list[Device]:
        """The devices that have one of these unique values (serial number, MAC address, label), or are such a chip.

        A MAC address may be written in any way, and what is stored as bytes in hexadecimal digits.
        """
        ways = {way for value in values for way in _ways(value)}
        ids = set(self.owners(way if isinstance(way, bytes) else way.encode() for way in ways))
        known = sorted(way.lower() for way in ways if isinstance(way, str))
        with reading(self._engine) as connection:
            for part in _parts(known):
                is_known = or_(
                    *(column.in_(part) for column in (chip.c.mac, chip.c.unique_id, chip.c.flash_id))
                )
                ids.update(connection.scalars(select(chip.c.device).where(is_known)))
        return [self.device(one) for one in sorted(ids)]

    def owners(self, values: Iterable[bytes]) -> dict[int, set[str]]:
        """The devices that have unique values among these, secret ones too: in which scopes."""
        values = list(values)
        found: dict[int, set[str]] = {}
        with reading(self._engine) as connection:
            scopes = list(connection.scalars(select(claim.c.scope).distinct()))
            stored = {*values, *(self._key.blind(scope, value) for scope in scopes for value in values)}
            for part in _parts(sorted(stored)):
                columns = (claim.c.device, claim.c.scope)
                for id_, scope in connection.execute(select(*columns).where(claim.c.value.in_(part))):
                    found.setdefault(id_, set()).add(scope)
        return found

    def with_image(self, sha256: str) -> list[Device]:
        """The devices whose image has this SHA-256."""
        return list(devices(self._engine, device.c.image_sha256 == sha256))

    def find_chip(self, *, mac: str = "", unique_id: str = "", flash_id: str = "") -> list[Device]:
        """The devices that are a chip with one of these, as `bind` was told."""
        said = {chip.c.mac: mac, chip.c.unique_id: unique_id, chip.c.flash_id: flash_id}
        known = [column == value.lower() for column, value in said.items() if value]
        if not known:
            return []
        with reading(self._engine) as connection:
            ids = list(connection.scalars(select(chip.c.device).where(or_(*known))))
        return [self.device(one) for one in sorted(ids)]

    def chip_of(self, device_id: int) -> Mapping[str, str]:
        """What `bind` was told of a device's chip: mac, unique_id, flash_id, as far as they are known."""
        return self.device(device_id).chip

    def history(self, device_id: int | None = None) -> list[journal.Entry]:
        """The journal, of one device or whole."""
        with reading(self._engine) as connection:
            return list(journal.entries(connection, device_id))

    def witness(self) -> dict[str, Any]:
        """How far the ledger has come, as `witness.read_witnesses` reads it."""
        with reading(self._engine) as connection:
            seen = witness_of(connection)
        return {"ledger": self.id, "seq": seen.seq, "hash": seen.hash, "counters": dict(seen.counters)}

    def reveal(self, device_id: int, private_key: Path, *, why: str = "") -> dict[str, Value]:
        """A device's secrets, by name; that somebody looked is in the journal. Raises LedgerError."""
        (revealed,) = self.reveal_each([device_id], private_key, why=why)
        if not revealed:
            raise LedgerError(
                f"the ledger has no secrets of device {device_id}",
                hint="its spec has none, or it is not there",
            )
        return revealed

    def reveal_each(
        self, device_ids: Sequence[int], private_key: Path, *, why: str = ""
    ) -> Iterator[dict[str, Value]]:
        """The secrets of each of these devices, by name; nothing of one that has none.

        That somebody looked is in the journal before they are told. Raises LedgerError.
        """
        if self.secrets == "forgotten":
            raise LedgerError(
                "the ledger forgets secrets: it has none to reveal", hint="they are on the devices alone"
            )
        for part in _parts(device_ids):
            with self._writing() as connection:
                query = select(sealed.c.device, sealed.c.data).where(sealed.c.device.in_(part))
                latest = {
                    row.device: row.data for row in connection.execute(query.order_by(sealed.c.generation))
                }
                revealed = {id_: keys.reveal(data, private_key) for id_, data in latest.items()}
                if revealed:
                    journal.append(connection, "revealed", self._station.said(why=why), list(revealed))
            yield from (revealed.get(id_, {}) for id_ in part)

    def adopt(self) -> None:
        """Write down what there is, for `verify`, where an older fctry has reserved devices. Raises LedgerError."""
        with self._writing() as connection:
            if audit.has_unproven(connection):
                journal.check_chain(connection)
                data = self._station.said(devices=audit.all_told(connection))
                journal.append(connection, audit.UPGRADED, data)

    def check_witness_of(self, files: Iterable[Path]) -> None:
        """Raise LedgerError if one of these files knows more of the ledger than there is."""
        with reading(self._engine) as connection:
            check_files(connection, files, self.id)

    def verify(self, witnesses: Iterable[Path] = ()) -> int:
        """Check journal and tables against each other, and that the ledger has all that these files know of it.

        They are as `witness.read_witnesses` takes them. Returns the journal's length; raises LedgerError.
        """
        with reading(self._engine) as connection:
            length = audit.check(connection)
            check_files(connection, witnesses, self.id)
        return length


def _ways(value: str) -> Iterator[str | bytes]:
    """How a value may be stored that is written like this."""
    yield value
    digits = re.sub("[:-]", "", value) if ADDRESS.fullmatch(value) else value
    if not HEXADECIMAL.fullmatch(digits):
        return
    data = bytes.fromhex(digits)
    yield data
    if digits is not value or len(data) == ADDRESS_SIZE_BYTES:
        yield from (text for one in (":", "-") for text in (data.hex(one), data.hex(one).upper()))
        yield from (digits.lower(), digits.upper())


def _unknown(device_id: int) -> InputError:
    return InputError(f"the ledger has no device {device_id}", hint="fctry ledger find looks for one")


def witness_of(connection: Connection) -> Witness:
    """What there is to remember of the ledger now."""
    return Witness(place_of(connection.engine), *journal.head_of(connection), handed_out(connection))


def _ready(connection: Connection, ids: Sequence[int], states: Sequence[str]) -> set[int]:
    """Those of the devices that are in one of the states. Nobody else writes meanwhile."""
    found: set[int] = set()
    for part in _parts(ids):
        query = select(device.c.id).where(device.c.id.in_(part), device.c.state.in_(states))
        found.update(connection.scalars(query))
    return found


def _parts(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """As many at once as every database takes in one statement."""
    return (values[start : start + STATEMENT_MAX] for start in range(0, len(values), STATEMENT_MAX))
