"""One device from reservation to proof: a list of steps over one connection, each named, timed and recorded.

    identify       chip, MAC, size of the flash                              identify.py
    write app      boot loader, table and application of a build             app.py
    check table    the device's own table puts the partition where we do     partition.py
    choose         which device this is: the ledger's, by chip and by data   identity.py
    write          sectors that differ, and no others                        write.py
    start, prove   reset; report, comparison, secrets                        prove.py

A step is a function of the `Run`; a product puts its own into the list.
"""

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
