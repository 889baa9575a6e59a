"""The database of who got what: unique values, states, history, secrets sealed or forgotten."""

from fctry.identity.ledger.put_off import put_off

with put_off("asyncio", "importlib.metadata"):
    import sqlalchemy.dialects.sqlite  # noqa: F401  before anything else imports it with what is put off

from fctry.identity.draft import Product
from fctry.identity.ledger.ledger import Ledger
from fctry.identity.ledger.opening import accept_restore, create_ledger, open_ledger, upgrade_ledger
from fctry.identity.ledger.reservation import Reserved
from fctry.identity.ledger.rows import Device
from fctry.identity.station import Station, state_folder

__all__ = [
    "Device",
    "Ledger",
    "Product",
    "Reserved",
    "Station",
    "accept_restore",
    "create_ledger",
    "open_ledger",
    "state_folder",
    "upgrade_ledger",
]
