"""Say everything that is wrong with a factory spec, before the first device. `fctry docs CODE` explains
each. Whether it fits is told when the partition is known: by --size, or from the project's table.
Exit code 1 on errors, and on warnings with --strict.

fctry spec check factory.toml --count 10000
"""

from __future__ import annotations

import json
from dataclasses import replace

from fctry.cli.arguments import Argument, Arguments, Option, count, path, size
from fctry.cli.options import PROJECT, project_of
from fctry.findings import fails
from fctry.identity.sources.password import Password
from fctry.identity.spec import Spec
from fctry.identity.spec_check import check
from fctry.identity.spec_file import read_spec
from fctry.identity.spec_rules import Room

PARAMETERS = (
    Argument("spec", type=path, help="factory spec, such as factory.toml"),
    Option(
        "--count",
        type=count,
        default="0",
        metavar="N",
        help="devices that it shall do for (default: the spec's)",
    ),
    Option("--size", type=size, help="size of the partition: 0x6000, 24K, … (default: the project's)"),
    Option("--read-only", is_flag=True, help="the partition is flagged readonly"),
    Option("--json", is_flag=True, help="print the findings as JSON"),
    Option("--sarif", is_flag=True, help="print the findings as SARIF, for code review", excludes="--json"),
    Option("--strict", is_flag=True, help="fail on warnings too"),
    *PROJECT,
)


def run(args: Arguments) -> int:
    spec = read_spec(args.spec)
    findings = check(spec, _room(args))
    if args.sarif:
        from fctry.sarif import sarif

        print(json.dumps(sarif(findings, "fctry spec check"), indent=2))
    elif args.json:
        print(json.dumps([one.as_dict() for one in findings], indent=2))
    else:
        from fctry.cli.printed import print_findings

        _print_sources(spec)
        print_findings(findings, f"{args.spec}: ")
    return 1 if fails(findings, strict=args.strict) else 0


def _room(args: Arguments) -> Room:
    project = project_of(args)
    room = Room(args.size, args.read_only, args.count, sdkconfig=project.sdkconfig)
    if args.size is None and (args.partitions or project.settings.partitions.exists()):
        partition = project.factory_partition
        is_read_only = partition.readonly or args.read_only
        return replace(room, size_bytes=partition.size_bytes, read_only=is_read_only, label=partition.name)
    return room


def _print_sources(spec: Spec) -> None:
    """How many devices each field's source can serve, and the entropy of passwords."""
    width = max(len(one.name) for one in spec.fields)
    for one in spec.fields:
        source = spec.source_of(one.source)[0]
        capacity = spec.capacity_of(one.source)
        if isinstance(source, Password):
            told = f"{source.entropy_bits:.0f} bits of entropy"
        elif capacity is None:
            told = "as its input has it"
        else:
            told = "one value" if capacity == 1 else f"{capacity:,} values" if capacity < 10**12 else "no end"
        print(f"{one.name:{width}}  {source.KIND:11}  {told}{', unique' if one.scope else ''}")
