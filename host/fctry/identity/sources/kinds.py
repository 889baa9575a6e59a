"""All kinds of sources by the names that a spec has for them. Importing them costs as much as a small batch."""

from __future__ import annotations

from fctry.identity.sources.certificate import Certificate
from fctry.identity.sources.column import Column
from fctry.identity.sources.computed import Computed
from fctry.identity.sources.constant import Constant
from fctry.identity.sources.file import File
from fctry.identity.sources.homekit import HomeKit
from fctry.identity.sources.mac import Mac
from fctry.identity.sources.matter import Matter
from fctry.identity.sources.password import Password
from fctry.identity.sources.random_bytes import RandomBytes
from fctry.identity.sources.random_number import RandomNumber
from fctry.identity.sources.serial import Serial
from fctry.identity.sources.source import Source
from fctry.identity.sources.station import AtStation
from fctry.identity.sources.uuid4 import Uuid

KINDS: dict[str, type[Source]] = {
    kind.KIND: kind
    for kind in (
        Serial,
        Mac,
        Password,
        HomeKit,
        Matter,
        RandomBytes,
        RandomNumber,
        Uuid,
        Certificate,
        File,
        Constant,
        Column,
        Computed,
        AtStation,
    )
}
