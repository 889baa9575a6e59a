"""What the firmware reads, compared with what was written."""

from __future__ import annotations

from collections.abc import Sequence

from fctry.device.console import Console
from fctry.device.deadline import Deadline
from fctry.device.proof import Proof, compare, unproven
from fctry.device.seal import SEAL, check_sealed
from fctry.errors import DeviceError
from fctry.nvs.item import Item
from fctry.partitions.table import Partition
from fctry.provision.run import Run


def start(run: Run) -> str:
    """Start the firmware. What it says waits for `prove`."""
    run.chip.reset()
    run.console = Console(run.chip, run.on_line)
    return "reset"


def prove(run: Run) -> str:
    """Take the firmware's report, compare it item by item, and let it prove what it does not report."""
    assert run.image
    assert run.console
    if SEAL in run.image.items:
        check_sealed(run.console, Deadline.after(run.timeout_s))
        return "sealed before, when it had been proven"
    run.proof = proof = read_proof(run.console, run.image.items, run.partition, Deadline.after(run.timeout_s))
    equal = sum(row.is_equal for row in proof.comparisons)
    if not proof.is_proven:
        raise DeviceError(
            f"the firmware reads {equal} of {len(proof.comparisons)} keys as they were written{_faults(proof)}",
            hint="`fctry docs firmware` says what the errors mean, and what the firmware must be built with",
        )
    return f"{equal} keys equal"


def _faults(proof: Proof) -> str:
    differing = [f"{row.namespace}:{row.key}" for row in proof.comparisons if not row.is_equal]
    reported = sorted({str(event.get("code")) for event in proof.errors})
    named = f"; not {', '.join(differing)}" if differing else ""
    return f"{named}; it reports {', '.join(reported)}" if reported else named


def read_proof(console: Console, items: Sequence[Item], partition: Partition, deadline: Deadline) -> Proof:
    """Compare `items` with what firmware that has just been started reports and proves.

    Raises DeviceError, ReportError or PortError.
    """
    report = console.report(partition.name, deadline)
    return compare(items, report, console.prove(unproven(items, report), deadline))
