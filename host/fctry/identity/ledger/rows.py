"""Devices as the ledger has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, select

from fctry.identity.ledger import keys
from fctry.identity.ledger.database import reading
from fctry.identity.ledger.tables import CHIP_IDS, chip, device
from fctry.nvs.item import Value

PAGE_ROWS = 1000


@dataclass(frozen=True)
class Device:
    """A row of the ledger. `values` and `public` are what people may see."""

    id: int
    product: str
    state: str
    batch: str | None
    number: int | None
    counters: Mapping[str, int]
    values: Mapping[str, Value]
    public: Mapping[str, str]
    spec_sha256: str
    image_sha256: str | None
    tool: str
    chip: Mapping[str, str]
    """What `Ledger.bind` was told: mac, unique_id, flash_id, as far as they are known."""


def devices(engine: Engine, *conditions: Any) -> Iterator[Device]:
    """The devices for which these conditions hold, in the order in which they were reserved."""
    last = 0
    while True:  # in pages: a ledger may be larger than memory
        with reading(engine) as connection:
            query = select(device, *(chip.c[name] for name in CHIP_IDS)).outerjoin(chip)
            query = query.where(device.c.id > last, *conditions).order_by(device.c.id).limit(PAGE_ROWS)
            rows = connection.execute(query).all()
        yield from map(_device, rows)
        if len(rows) < PAGE_ROWS:
            return
        last = rows[-1].id


def _device(row: Any) -> Device:
    return Device(
        row.id,
        row.product,
        row.state,
        row.batch,
        row.number,
        row.counters,
        keys.from_json(row.item_values),
        row.public,
        row.spec_sha256,
        row.image_sha256,
        row.tool,
        {name: value for name in CHIP_IDS if (value := getattr(row, name))},
    )
