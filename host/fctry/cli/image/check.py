"""Say everything in images that the firmware would stumble over. Exit code 1 if there is an error.

fctry image check images/00001.bin images/00002.bin
"""

from __future__ import annotations

import sys

from fctry.cli.arguments import Argument, Arguments, Option, files
from fctry.cli.image.dump import DUMP, PORT, Port, given, partition_in, partition_on, where_in
from fctry.cli.options import KEYS, keys_of
from fctry.errors import InputError
from fctry.findings import fails
from fctry.nvs.checker import check

PARAMETERS = (
    Argument("image", nargs=-1, shell_complete=files, help="NVS images, or dumps of a whole flash"),
    PORT,
    Option("--read-only", is_flag=True, help="the partition is flagged readonly"),
    Option("--json", is_flag=True, help="print the findings as JSON"),
    Option("--sarif", is_flag=True, help="print the findings as SARIF, for code review", excludes="--json"),
    *KEYS,
    *DUMP,
)


def run(args: Arguments) -> int:
    keys, where = keys_of(args), where_in(args)
    found = {}
    first = given(args.image[0] if args.image else None, args)
    for path in args.image or [first]:
        image, is_readonly = (
            partition_on(path, where) if isinstance(path, Port) else partition_in(path, _read(path), where)
        )
        if keys:
            from fctry.cli.image.opened import decrypted

            image = decrypted(path, image, keys)
        found[path] = check(image, read_only=args.read_only or is_readonly, is_decrypted=keys is not None)
    findings = [one._replace(file=path) for path, of_path in found.items() for one in of_path]
    if args.json or args.sarif:
        import json

        from fctry.sarif import sarif

        made = (
            sarif(findings, "fctry image check")
            if args.sarif
            else {path: [one.as_dict() for one in of_path] for path, of_path in found.items()}
        )
        print(json.dumps(made, indent=2))
    elif findings:
        from fctry.cli.printed import print_findings

        for path in found:
            print_findings([one for one in findings if one.file == path], f"{path}: ")
    else:
        for path in found:
            print(f"{path}: no findings")
    return 1 if fails(findings) else 0


def _read(path: str) -> bytes:
    try:
        if path == "-":
            return sys.stdin.buffer.read()
        with open(path, "rb") as file:  # noqa: PTH123  # pathlib would cost as much as the check
            return file.read()
    except OSError as error:
        raise InputError(f"cannot read: {error.strerror}", hint="check the path", file=path) from None
