"""The disk of the tests: nobody waits for it."""

from __future__ import annotations

import os
import sqlite3
import sys

import pytest


def hurry(patch: pytest.MonkeyPatch) -> None:
    """Let nothing wait for the disk: a process that is killed leaves all that it wrote, and no power fails here."""
    patch.setattr(os, "fsync", lambda handle: None)
    patch.setattr(os, "sync", lambda: None, raising=False)
    if database := sys.modules.get("fctry.identity.ledger.database"):
        prepare = database._prepare_sqlite

        def prepare_and_hurry(connection: sqlite3.Connection, record: object) -> None:
            prepare(connection, record)
            connection.execute("PRAGMA synchronous=OFF")

        patch.setattr(database, "_prepare_sqlite", prepare_and_hurry)
