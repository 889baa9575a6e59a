"""The tables of the ledger. What is unique is unique because these constraints say so.

`burnt`, `claim`, `journal` and `sealed` are only ever added to; triggers refuse anything else.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

STATES = ("reserved", "built", "flashed", "proven", "failed", "scrapped")

metadata = MetaData()
_Id = BigInteger().with_variant(Integer, "sqlite")

about = Table(
    "about",
    metadata,
    Column("ledger", String, primary_key=True),
    Column("secrets", String, nullable=False),  # sealed or forgotten
    Column("index_key_id", String, nullable=False),
    Column("recipients", JSON, nullable=False),
)

counter = Table(
    "counter",
    metadata,
    Column("name", String, primary_key=True),
    Column("next", BigInteger, nullable=False),
)

device = Table(
    "device",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=False),
    Column("product", String, nullable=False),
    Column("state", String, nullable=False, index=True),
    Column("batch", String),
    Column("number", Integer),  # in its batch
    Column("counters", JSON, nullable=False),
    Column("item_values", JSON, nullable=False),
    Column("public", JSON, nullable=False),
    Column("spec_sha256", String, nullable=False),
    Column("image_sha256", String),
    Column("tool", String, nullable=False),
    UniqueConstraint("batch", "number"),
)

claim = Table(
    "claim",
    metadata,
    Column(
        "value", LargeBinary, primary_key=True
    ),  # of a secret its blind index; first: `find` knows no scope
    Column("scope", String, primary_key=True),
    Column(
        "device", ForeignKey("device.id", deferrable=True, initially="DEFERRED"), nullable=False, index=True
    ),
)

sealed = Table(
    "sealed",
    metadata,
    Column("device", ForeignKey("device.id"), primary_key=True),
    Column("generation", Integer, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)

chip = Table(
    "chip",
    metadata,
    Column("device", ForeignKey("device.id"), primary_key=True),
    Column("mac", String),
    Column("unique_id", String),
    Column("flash_id", String),
    Index("ix_chip_mac", "mac"),
    Index("ix_chip_unique_id", "unique_id"),
)

journal = Table(
    "journal",
    metadata,
    Column("seq", _Id, primary_key=True, autoincrement=False),
    Column("at", String, nullable=False),
    Column("event", String, nullable=False),
    Column("data", String, nullable=False),  # canonical JSON: it is hashed as it stands
    Column("hash", String, nullable=False),
)

journal_device = Table(
    "journal_device",
    metadata,
    Column("device", ForeignKey("device.id"), primary_key=True),
    Column("seq", ForeignKey("journal.seq"), primary_key=True),
)

burnt = Table(
    "burnt",
    metadata,
    Column("tag", String, primary_key=True),  # of a value that was handed out after the backup was made
)

CHIP_IDS = ("mac", "unique_id", "flash_id")
APPEND_ONLY = ("burnt", "claim", "journal", "journal_device", "sealed")
