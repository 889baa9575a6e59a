"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from fctry.identity.ledger.migrations.append_only import triggers

revision = "0001"
down_revision = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
APPEND_ONLY = ("claim", "journal", "journal_device", "sealed")


def upgrade() -> None:
    op.create_table(
        "about",
        sa.Column("ledger", sa.String, primary_key=True),
        sa.Column("secrets", sa.String, nullable=False),
        sa.Column("index_key_id", sa.String, nullable=False),
        sa.Column("recipients", sa.JSON, nullable=False),
    )
    op.create_table(
        "counter",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("next", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "device",
        sa.Column("id", _ID, primary_key=True, autoincrement=False),
        sa.Column("product", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False, index=True),
        sa.Column("batch", sa.String),
        sa.Column("number", sa.Integer),
        sa.Column("counters", sa.JSON, nullable=False),
        sa.Column("item_values", sa.JSON, nullable=False),
        sa.Column("public", sa.JSON, nullable=False),
        sa.Column("spec_sha256", sa.String, nullable=False),
        sa.Column("image_sha256", sa.String),
        sa.Column("tool", sa.String, nullable=False),
        sa.UniqueConstraint("batch", "number"),
    )
    op.create_table(
        "claim",
        sa.Column("value", sa.LargeBinary, primary_key=True),
        sa.Column("scope", sa.String, primary_key=True),
        sa.Column(
            "device",
            _ID,
            sa.ForeignKey("device.id", deferrable=True, initially="DEFERRED"),
            nullable=False,
            index=True,
        ),
    )
    op.create_table(
        "sealed",
        sa.Column("device", _ID, sa.ForeignKey("device.id"), primary_key=True),
        sa.Column("generation", sa.Integer, primary_key=True),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "chip",
        sa.Column("device", _ID, sa.ForeignKey("device.id"), primary_key=True),
        sa.Column("mac", sa.String, index=True),
        sa.Column("unique_id", sa.String, index=True),
        sa.Column("flash_id", sa.String),
    )
    op.create_table(
        "journal",
        sa.Column("seq", _ID, primary_key=True, autoincrement=False),
        sa.Column("at", sa.String, nullable=False),
        sa.Column("event", sa.String, nullable=False),
        sa.Column("data", sa.String, nullable=False),
        sa.Column("hash", sa.String, nullable=False),
    )
    op.create_table(
        "journal_device",
        sa.Column("device", _ID, sa.ForeignKey("device.id"), primary_key=True),
        sa.Column("seq", _ID, sa.ForeignKey("journal.seq"), primary_key=True),
    )
    for table in APPEND_ONLY:
        for statement in triggers(table, op.get_bind().dialect.name):
            op.execute(statement)
