"""What the firmware reads, compared with what was written."""

from __future__ import annotations

from collections.abc import Sequence

from fctry.device.console import Console
from fctry.device.deadline import Deadline
from fctry.device.proof import Proof, compare, unproven
from fctry.errors import DeviceError
from fctry.nvs.item import Item
from fctry.partitions.table import Partition
from fctry.provision.run import Run


def prove(run: Run) -> str:
    """Start the firmware, take its report, compare it item by item, and let it prove what it does not report."""
    assert run.image
    run.chip.reset()
    console = Console(run.chip, run.on_line)
    run.proof = proof = read_proof(console, run.image.items, run.partition, Deadline.after(run.timeout_s))
    equal = sum(row.is_equal for row in proof.comparisons)
    if not proof.is_proven:
        reported = "".join(f", and it reports {event.get('code')}" for event in proof.errors)
        raise DeviceError(
            f"the firmware reads {equal} of {len(proof.comparisons)} keys as they were written{reported}",
            hint="see which keys differ; docs/firmware.md says what the errors mean",
        )
    return f"{equal} keys equal"


def read_proof(console: Console, items: Sequence[Item], partition: Partition, deadline: Deadline) -> Proof:
    """Compare `items` with what firmware that has just been started reports and proves.

    Raises DeviceError, ReportError or PortError.
    """
    report = console.report(partition.name, deadline)
    return compare(items, report, console.prove(unproven(items, report), deadline))
