"""Connected boards: which port, one user at a time, and nobody else's application."""

from __future__ import annotations

import hashlib
import os
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock, Timeout

import fctry.serialport
from fctry.errors import FctryError, FormatError

if TYPE_CHECKING:
    from fctry.device.flasher import Chip
    from fctry.partitions.table import PartitionTable


def lock_of(port: str) -> FileLock:
    """The lock of a port, the same under each of its names."""
    name = hashlib.sha256(os.path.realpath(port).encode() if "://" not in port else port.encode()).hexdigest()
    return FileLock(Path(tempfile.gettempdir(), f"fctry-{name[:16]}.lock"), mode=0o666)


def lock(port: str, stack: ExitStack) -> None:
    """Keep the port until the stack is closed. Ends the session if it is taken."""
    try:
        stack.enter_context(lock_of(port).acquire(timeout=0))
    except (Timeout, OSError):
        pytest.exit(f"{port} is in use by another run of this suite", returncode=1)


def only_port(mac: str | None) -> str:
    """The port of the connected board. With several, the one whose chip has this MAC address. Raises UsageError."""
    ports = [found.device for found in fctry.serialport.find_ports()]
    if not ports:
        raise pytest.UsageError(
            "no board is connected: no serial port with a USB adapter of an ESP board was found. Connect one, or name "
            "its port (--port PORT); without a board: --board native"
        )
    if mac:
        return _port_with(mac, ports)
    if len(ports) > 1:
        raise pytest.UsageError(
            f"several boards are connected: --port {' or --port '.join(ports)}, or --port-mac MAC"
        )
    return ports[0]


def _port_with(mac: str, ports: list[str]) -> str:
    from fctry.device import flasher

    for port in ports:
        # a port that is in use, or has no chip of Espressif's behind it, is not the one
        with suppress(FctryError, Timeout, OSError), lock_of(port).acquire(timeout=0):
            with flasher.connect(port) as chip:
                found = chip.mac()
            if found == mac.lower().replace("-", ":"):
                return port
    raise pytest.UsageError(f"no board with the MAC address {mac} at {', '.join(ports)}")


def refuse_foreign_application(port: str, name: str, table: PartitionTable) -> None:
    """End the session when what the tests overwrite of the board's flash is neither blank nor of this application."""
    from fctry.device import flasher

    with flasher.connect(port) as chip:
        names = _applications(chip, table) - {name}
    if names:
        pytest.exit(
            f"the board at {port} holds another application: {', '.join(sorted(names))}. The tests would overwrite it "
            "and erase its data: --fctry-force if that is meant",
            returncode=1,
        )


def _applications(chip: Chip, table: PartitionTable) -> set[str]:
    """The names of the applications in a board's flash, as its own partition table places them.

    Without a table, everything counts that lies where `table` has a partition, or before.
    """
    from fctry.boards.chip.app_image import AppDescription
    from fctry.partitions import binary
    from fctry.partitions.table import APP
    from fctry.pytest_plugin.builds import DESCRIPTION_BYTES, DESCRIPTION_OFFSET

    raw = chip.read(table.offset, binary.TABLE_BYTES)
    if is_erased(raw):
        is_blank = chip.is_erased(0, max(entry.end for entry in table))
        return set() if is_blank else {f"no partition table at {table.offset:#x}, but data"}
    try:
        offsets = [entry.offset for entry in binary.unpack(raw) if entry.type == APP]
    except FormatError:
        return {"no valid partition table"}
    names = set()
    for offset in offsets:
        description = chip.read(offset + DESCRIPTION_OFFSET, DESCRIPTION_BYTES)
        if not is_erased(description):
            try:
                names.add(AppDescription.unpack(description).project_name)
            except FormatError:
                names.add("one without a description")
    return names


def is_erased(data: bytes) -> bool:
    return data.count(0xFF) == len(data)
