"""Run by alembic: migrations happen on the connection that `database.upgrade` hands over, in its transaction."""

from __future__ import annotations

from alembic import context

from fctry.identity.ledger.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
