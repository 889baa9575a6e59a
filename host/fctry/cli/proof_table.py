"""How a proof looks to a person."""

from __future__ import annotations

from functools import partial

from rich.table import Table
from rich.text import Text

from fctry.cli.console import Console
from fctry.cli.text import escaped, shortened
from fctry.device.commands import stored_bytes
from fctry.device.proof import Comparison, Proof
from fctry.nvs.item import SECRET

COLUMNS_TAKEN = 46  # by key, type, verdict and lines
VALUE_WIDTH_MIN = 24  # on a narrower terminal it goes on in the next line


def print_proof(proof: Proof) -> None:
    """Print one row a key: what was written, what the firmware said, equal or not; then the reported errors."""
    console = Console()
    width = max(VALUE_WIDTH_MIN, (console.width - COLUMNS_TAKEN) // 2)
    table = Table()
    for column in ("key", "type", "written by the host", "read by the firmware", "equal"):
        table.add_column(column, overflow="fold")
    namespace = None
    for row in proof.comparisons:
        if row.namespace != namespace:
            table.add_row(Text(escaped(namespace := row.namespace), "bold"))
        verdict = Text("yes", "green") if row.is_equal else Text("NO", "bold red")
        cells = (f"  {row.key}", row.type, *_shown_values(row, width))
        table.add_row(*(Text(escaped(cell)) for cell in cells), verdict)
    console.print(table)
    for event in proof.errors:
        place = " ".join(
            str(event[name]) for name in ("partition", "namespace", "key") if name in event.fields
        )
        said = f"the firmware reports {event.get('code')} from {event.get('where')} ({place})"
        console.print(Text(escaped(said), "red"))
        read, written = event.get("namespace"), {row.namespace for row in proof.comparisons}
        if read is not None and read not in written:
            lacks = f"the image has no namespace {read}, which the firmware reads, but {', '.join(sorted(written))}"
            console.print(Text(escaped(lacks), "red"))
            console.print("rename it, or let the firmware read it: CONFIG_FACTORY_DATA_NAMESPACE")
    if any(row.said is None and row.is_accepted is None for row in proof.comparisons):
        console.print(
            "what the firmware does not report needs a proof: its console command `prove` has one for "
            "strings and blobs (`fctry docs firmware`)"
        )
    if any(row.is_secret and row.said is not None for row in proof.comparisons):
        console.print(
            Text("the firmware reports a secret: keep secrets out of the namespace that it reports", "red")
        )
    equal = sum(row.is_equal for row in proof.comparisons)
    console.print(
        Text(f"proven: {equal} of {equal} keys equal", "bold green")
        if proof.is_proven
        else Text(f"NOT proven: {equal} of {len(proof.comparisons)} keys equal", "bold red")
    )


def _shown_values(row: Comparison, width: int) -> tuple[str, str]:
    """What was written and what was read, or whether it was proven; a secret not at all."""
    show = _masked if row.is_secret else partial(_shown, width=width)
    proof = "" if row.is_accepted is None else f"(proof {'accepted' if row.is_accepted else 'refused'})"
    return show(row.written), show(row.said) if row.said is not None or not proof else proof


def _masked(value: object) -> str:
    if value is None:
        return "-"
    return f"(secret, {len(stored_bytes(value))} bytes)" if isinstance(value, (str, bytes)) else SECRET


def _shown(value: object, width: int) -> str:
    if value is None:
        return "-"
    if isinstance(value, bytes):
        return shortened(value.hex(), len(value), width)
    return (
        shortened(value, len(value.encode(errors="surrogatepass")), width)
        if isinstance(value, str)
        else str(value)
    )
