"""Layouts that the device suite flashes in place of partitions.csv."""

import dataclasses

from fctry.partitions.table import PartitionTable
from fctry.pytest_plugin import FactoryDevice


def with_partition(device: FactoryDevice, **changes: int | bool) -> PartitionTable:
    """The device's layout with its factory partition changed."""
    return PartitionTable(
        tuple(
            dataclasses.replace(entry, **changes) if entry == device.partition else entry
            for entry in device.table
        )
    )
