"""A run of records as one page of HTML that needs nothing else: figures, two pictures, and a row a device."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from html import escape
from statistics import mean

from fctry.provision.record import Measurement, Record

STYLE = """
:root{color-scheme:light dark;
--ink:#1c2430;--soft:#5c6878;--line:#d9dfe7;--paper:#fff;--bar:#3b6ea8;
--pass:#1b7f4b;--fail:#b3261e}
@media(prefers-color-scheme:dark){:root{
--ink:#e6eaf0;--soft:#9aa7b8;--line:#333d4a;--paper:#151b23;--bar:#6ea3e0;
--pass:#4cc38a;--fail:#ff8a80}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:70rem;padding:1.5rem 1rem 3rem;
background:var(--paper);color:var(--ink);font:1rem/1.5 system-ui,sans-serif}
h1{font-size:1.4rem;margin:0}h2{font-size:1.05rem;margin:2rem 0 .5rem}p{color:var(--soft);margin:.2rem 0}
.figures{display:flex;flex-wrap:wrap;gap:.5rem 2.5rem;margin:1rem 0}.figures b
{display:block;font-size:1.9rem;line-height:1.2}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%}
td,th{padding:.35rem .8rem .35rem 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
th{color:var(--soft);font-weight:600}td.n,th.n{text-align:right}td.n{font-variant-numeric:tabular-nums;white-space:nowrap}
.pass{color:var(--pass);font-weight:700}.fail{color:var(--fail);font-weight:700}
.bars{display:grid;grid-template-columns:minmax(8rem,auto) 1fr;gap:.25rem 1rem;max-width:52rem}
.bars span{max-width:24rem}.bars div{white-space:nowrap}
.bars i{display:inline-block;height:.8rem;margin-right:.6rem;border-radius:2px;
background:var(--bar);vertical-align:-.05rem}
@media(max-width:40rem){.bars{grid-template-columns:1fr;gap:0}.bars div{margin-bottom:.4rem}}
code{font:.92em ui-monospace,monospace;white-space:nowrap}
"""
BAR_SHARE = 75  # percent of the width; the number stands behind


def page(records: Sequence[Record]) -> str:
    """The page of a run. Everything in it is escaped: names of devices and texts of errors come from elsewhere."""
    failed = [record for record in records if record.failed]
    about = records[0].about if records else {}
    title = f"{about.get('product', 'fctry')}: {len(records) - len(failed)} of {len(records)} proven"
    told = [
        f"{name} {about[name]}"
        for name in ("station", "operator", "lot", "order", "part-number", "revision")
        if name in about
    ]
    when = f"{_time(records[0])} to {_time(records[-1])} UTC" if records else ""
    reasons = Counter(record.reason for record in failed)
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8>",
        "<meta name=viewport content='width=device-width,initial-scale=1'>",
        f"<title>{escape(title)}</title><style>{STYLE}</style>",
        f"<h1>{escape(title)}</h1><p>{escape(', '.join(told))}</p><p>{escape(when)}</p>",
        _figures(records, failed),
        f"<h2>Time per step</h2>{_bars(_step_seconds(records), ' s')}",
        f"<h2>Failures by reason</h2>{_bars(dict(reasons.most_common()), '')}" if reasons else "",
        _measurements(records),
        "<h2>Devices</h2><div class=scroll><table><tr><th>device<th>outcome<th>values<th>chip<th class=n>time</tr>",
        *map(_row, records),
        "</table></div></html>\n",
    ]
    return "\n".join(filter(None, parts))


def _time(record: Record) -> str:
    return record.started_at.partition(".")[0].replace("T", " ")


def _figures(records: Sequence[Record], failed: Sequence[Record]) -> str:
    passed = len(records) - len(failed)
    share = f"{passed / len(records):.1%}" if records else "-"
    seconds = f"{mean(record.seconds for record in records):.2f} s" if records else "-"
    figures = {"yield": share, "proven": str(passed), "failed": str(len(failed)), "time per device": seconds}
    return f"<div class=figures>{''.join(f'<div>{name}<b>{text}</b></div>' for name, text in figures.items())}</div>"


def _step_seconds(records: Sequence[Record]) -> dict[str, float]:
    """The mean time of each step, over the devices that took it, in the order of the steps."""
    seconds: dict[str, list[float]] = {}
    for record in records:
        for step in record.steps:
            seconds.setdefault(step.name, []).append(step.seconds)
    return {name: mean(found) for name, found in seconds.items()}


def _bars(values: dict[str, float] | dict[str, int], unit: str) -> str:
    """A horizontal bar for each value, with its number."""
    largest = max(values.values(), default=0) or 1
    rows = []
    for name, value in values.items():
        shown = f"{value:.2f}" if isinstance(value, float) else str(value)
        bar = f"<i style='width:{value / largest * BAR_SHARE:.1f}%'></i>"
        rows.append(f"<span>{escape(name)}</span><div>{bar}{shown}{unit}</div>")
    return f"<div class=bars>{''.join(rows)}</div>"


def _measurements(records: Sequence[Record]) -> str:
    """A row for each measurement: how many, how they spread, and how many were out of their limits."""
    found: dict[str, list[Measurement]] = {}
    for record in records:
        for one in record.measurements:
            found.setdefault(f"{one.name} {one.unit}".rstrip(), []).append(one)
    rows = []
    for name, taken in found.items():
        values = [one.value for one in taken]
        spread = "".join(f"<td class=n>{value:.4g}" for value in (min(values), mean(values), max(values)))
        outside = sum(not one.is_within for one in taken)
        mark = f"<span class=fail>{outside}</span>" if outside else "0"
        cells = f"<td class=n>{len(values)}{spread}<td>{escape(taken[-1].limits)}<td class=n>{mark}"
        rows.append(f"<tr><td>{escape(name)}{cells}</tr>")
    numbers = "".join(f"<th class=n>{name}" for name in ("taken", "least", "mean", "most"))
    head = f"<tr><th>what{numbers}<th>limits<th class=n>outside</tr>"
    table = f"<div class=scroll><table>{head}{''.join(rows)}</table></div>"
    return f"<h2>Measurements</h2>{table}" if rows else ""


def _row(record: Record) -> str:
    failed = record.failed
    values = "<br>".join(
        f"{escape(name)} <code>{escape(text)}</code>" for name, text in record.public.items()
    )
    chip = "<br>".join(f"<code>{escape(text)}</code>" for text in record.chip.values() if text)
    outcome = (
        f"<span class=fail>FAIL</span> {escape(failed.name)}: {escape(failed.error)}"
        if failed
        else "<span class=pass>PASS</span>"
    )
    who = "-" if record.device is None else str(record.device)
    return f"<tr><td>{who}<td>{outcome}<td>{values}<td>{chip}<td class=n>{record.seconds:.2f} s</tr>"
