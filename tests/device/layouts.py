"""Layouts that the device suite flashes in place of partitions.csv."""

import dataclasses

from fctry.device.permit import Permit
from fctry.partitions.table import PartitionTable
from fctry.pytest_plugin import FactoryDevice

ANYWHERE = Permit([range(1 << 32)])
"""To write where nobody has checked what there is."""


def with_partition(device: FactoryDevice, **changes: int | bool) -> PartitionTable:
    """The device's layout with its factory partition changed."""
    return PartitionTable(
        tuple(
            dataclasses.replace(entry, **changes) if entry == device.partition else entry
            for entry in device.table
        )
    )
