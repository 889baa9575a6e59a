"""Values that were handed out after a backup was made that was put back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from fctry.identity.ledger.migrations.append_only import triggers

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table("burnt", sa.Column("tag", sa.String, primary_key=True))
    for statement in triggers("burnt", op.get_bind().dialect.name):
        op.execute(statement)
