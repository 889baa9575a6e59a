"""How a proof looks to a person."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fctry.provision import Proof


def print_proof(proof: Proof) -> None:
    """Print one row a key: what was written, what the firmware said, equal or not; then the reported errors."""
    table = Table()
    for column in ("key", "type", "written by the host", "read by the firmware", "equal"):
        table.add_column(column, overflow="fold")
    namespace = None
    for row in proof.comparisons:
        if row.namespace != namespace:
            table.add_row(Text(namespace := row.namespace, "bold"))
        verdict = Text("yes", "green") if row.is_equal else Text("NO", "bold red")
        table.add_row(f"  {row.key}", row.type, _shown(row.written), _shown(row.said), verdict)
    console = Console(highlight=False)
    console.print(table)
    for event in proof.errors:
        place = " ".join(
            str(event[name]) for name in ("partition", "namespace", "key") if name in event.fields
        )
        console.print(
            Text(f"the firmware reports {event.get('code')} from {event.get('where')} ({place})", "red")
        )
    equal = sum(row.is_equal for row in proof.comparisons)
    console.print(
        Text(f"proven: {equal} of {equal} keys equal", "bold green")
        if proof.is_proven
        else Text(f"NOT proven: {equal} of {len(proof.comparisons)} keys equal", "bold red")
    )


def _shown(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bytes):
        return f"{value[:16].hex()}{'…' if len(value) > 16 else ''} ({len(value)} bytes)"
    return str(value)
