"""The schema of the tests' ledgers: alembic makes it once for each kind of database, then its statements do."""

from __future__ import annotations

import sys
from typing import Any

import pytest


def remember_schema(patch: pytest.MonkeyPatch) -> None:
    """Let new ledgers get what the first one got, without all that alembic does to find out what that is."""
    opening = sys.modules.get("fctry.identity.ledger.opening")
    if not opening:
        return
    from sqlalchemy import Connection, event

    upgrade = opening.upgrade
    made: dict[str, list[tuple[str, dict[str, Any]]]] = {}

    def upgrade_as_before(connection: Connection) -> None:
        statements: list[tuple[str, dict[str, Any]]] = []

        def remember(_: object, __: object, statement: str, parameters: dict[str, Any], *___: object) -> None:
            if not statement.startswith(("SELECT", "PRAGMA")):
                statements.append((statement, parameters))

        kind = connection.dialect.name
        if opening.revision_of(connection):
            upgrade(connection)
        elif kind in made:
            for statement, parameters in made[kind]:
                connection.exec_driver_sql(statement, parameters)
        else:
            event.listen(connection, "before_cursor_execute", remember)
            upgrade(connection)
            event.remove(connection, "before_cursor_execute", remember)
            made[kind] = statements

    patch.setattr(opening, "upgrade", upgrade_as_before)
