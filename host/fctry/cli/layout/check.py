"""Say everything that is wrong with a partition table, each with a remedy. `fctry docs CODE` explains
each.

Without --sdkconfig, an sdkconfig or sdkconfig.defaults beside the CSV is read when it is about that CSV. Exit code 1 on
errors, and on warnings with --strict.

fctry layout check partitions.csv
fctry layout check partitions.csv --build build --against released.csv --strict
"""

from __future__ import annotations

from fctry.cli.arguments import Arguments, Option, path
from fctry.cli.options import TABLE_OF_PROJECT, project_of
from fctry.cli.text import counted
from fctry.errors import InputError
from fctry.files import read_file
from fctry.findings import fails
from fctry.partitions.checker import check, report
from fctry.partitions.layout import Layout
from fctry.partitions.rule import Evidence

PARAMETERS = (
    Option("--against", type=path, metavar="FILE", help="the table that devices in the field have"),
    Option("--image", type=path, metavar="FILE", help="image that the factory partition shall hold"),
    Option("--port", "-p", metavar="PORT", help="connected device whose table must be this one"),
    Option("--json", is_flag=True, help="print the findings as JSON"),
    Option("--sarif", is_flag=True, help="print the findings as SARIF, for code review", excludes="--json"),
    Option("--strict", is_flag=True, help="fail on warnings too"),
    *TABLE_OF_PROJECT,
)


def run(args: Arguments) -> int:
    project = project_of(args)
    layout = project.layout
    if args.image:
        _check_target(layout, project.settings.partition, args.image)
    device = None
    if args.port:
        from fctry.cli.layout.read import table_of_board

        device = table_of_board(args.port, layout.options.table_offset)
    evidence = Evidence(
        factory=project.settings.partition,
        image=read_file(args.image) if args.image else None,
        sdkconfig=project.sdkconfig,
        build=project.build,
        old=project.open(args.against) if args.against else None,
        device=device,
    )
    findings = check(layout, evidence)
    if args.json or args.sarif:
        import json

        from fctry.sarif import sarif

        made = sarif(findings, "fctry layout check") if args.sarif else report(layout, findings)
        print(json.dumps(made, indent=2))
    else:
        from fctry.cli.printed import print_findings

        beside = f" with {project.sdkconfig.file}" if project.sdkconfig else ""
        partitions = counted(len(layout.entries), "partition")
        print_findings(findings, f"{layout.file}{beside}: {partitions}, ")
    return 1 if fails(findings, strict=args.strict) else 0


def _check_target(layout: Layout, name: str | None, image: object) -> None:
    """Raise InputError when it is not clear for which partition an image is."""
    if len(found := layout.factory_entries(name)) != 1:
        names = ", ".join(entry.partition.name for entry in found) or "there is none"
        raise InputError(
            f"which partition is {image} for? ({names})",
            hint="name the factory partition with --partition",
            file=layout.file,
        )
