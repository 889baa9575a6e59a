"""Record what a ledger of this fctry has in its tables, and its station in its folder: `record_ledger.py OUT.json`.

Run with the package of the version that is to be recorded, as PYTHONPATH.
"""

from __future__ import annotations

import json
import sys
from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy as sa

from fctry.identity.draft import Claim, Context, CounterRange, Draft
from fctry.identity.ledger import Product, Station, create_ledger

NOW = Context(datetime(2026, 1, 2, tzinfo=timezone.utc), lot="7")


class Lamps:
    """A serial number, and a password that is as unique."""

    def __init__(self) -> None:
        self.counters = {"serial": CounterRange(1000, 10**9)}

    def draw(self, counters: dict[str, int], context: Context, kept: object = None) -> Draft:
        serial = f"SN{counters['serial']}"
        claims = (
            Claim("lamp/serial", serial.encode()),
            Claim("lamp/password", f"pw {serial}".encode(), is_random=True, is_secret=True),
        )
        return Draft(
            {"device:serial": serial, "device:key": b"\x00\xff"},
            {"secrets:password": f"pw {serial}"},
            {"serial": serial},
            claims,
        )

    def draw_each(self, counters: Sequence[dict[str, int]], contexts: Sequence[Context]) -> list[Draft]:
        return list(map(self.draw, counters, contexts))


with TemporaryDirectory() as folder:
    station = Station("bench 1", "eve", Path(folder, "state"))
    ledger, _ = create_ledger(str(Path(folder, "ledger.db")), station)
    with ledger:
        list(ledger.reserve(Product("lamp", "00" * 32), Lamps(), [NOW] * 4, batch="b", numbers=[1, 2, 3, 4]))
        ledger.renew(2, Lamps(), NOW)
        ledger.record({1: "ab" * 32, 2: "cd" * 32}, "built")
        ledger.bind(1, mac="24:0A:C4:00:00:01")
        ledger.record({1: None}, "flashed")
        ledger.record({3: None}, "scrapped", why="fell down")
    tables = sa.MetaData()
    engine = sa.create_engine(f"sqlite:///{folder}/ledger.db")
    tables.reflect(engine)
    with engine.connect() as connection:
        rows = {
            table.name: [dict(row) for row in connection.execute(sa.select(table)).mappings()]
            for table in tables.sorted_tables
        }
    files = {path.name: path.read_text() for path in station.folder.iterdir()}
    files = {name: text for name, text in sorted(files.items()) if not name.endswith((".agekey", ".lock"))}
    said = json.dumps(
        {"rows": rows, "station": files}, indent=1, default=lambda raw: {"base64": b64encode(raw).decode()}
    )
    Path(sys.argv[1]).write_text(said.replace(folder, "FOLDER") + "\n")
