"""One device from reservation to proof: a list of steps over one connection, each named, timed and recorded.

    identify       chip, MAC, size of the flash                              identify.py
    write app      boot loader, table and application of a build             app.py
    check table    the device's own table puts the partition where we do     partition.py
    choose         which device this is: the ledger's, by chip and by data   identity.py
    write          sectors that differ, and no others                        write.py
    start, prove   reset; report, comparison, secrets                        prove.py

A step is a function of the `Run`; a product puts its own into the list.

What is imported from here is loaded when it is first asked for: who flashes a device that no ledger knows has no use
for identities.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fctry.provision.known import Identities
    from fctry.provision.partition import DevicePartition, check_fits, open_partition
    from fctry.provision.prove import read_proof
    from fctry.provision.record import Record, StepRecord
    from fctry.provision.run import REPORT_TIMEOUT_S, Run, Step, perform
    from fctry.provision.steps import flash_steps, provision_steps, verify_steps

__all__ = [
    "REPORT_TIMEOUT_S",
    "DevicePartition",
    "Identities",
    "Record",
    "Run",
    "Step",
    "StepRecord",
    "check_fits",
    "flash_steps",
    "open_partition",
    "perform",
    "provision_steps",
    "read_proof",
    "verify_steps",
]

_MODULES = {
    "known": ("Identities",),
    "partition": ("DevicePartition", "check_fits", "open_partition"),
    "prove": ("read_proof",),
    "record": ("Record", "StepRecord"),
    "run": ("REPORT_TIMEOUT_S", "Run", "Step", "perform"),
    "steps": ("flash_steps", "provision_steps", "verify_steps"),
}


def __getattr__(name: str) -> Any:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
