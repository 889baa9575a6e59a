"""`fctry image check`. Imports as little as it can: it may be run once per image, thousands of times."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from fctry.errors import InputError
from fctry.nvs.checker import check as findings_of

if TYPE_CHECKING:
    from fctry.findings import Finding


def check(args: argparse.Namespace) -> int:
    found = {path: _findings(path, args) for path in args.image}
    if args.json:
        import json

        print(
            json.dumps(
                {path: [one.as_dict() for one in findings] for path, findings in found.items()}, indent=2
            )
        )
    else:
        for path, findings in found.items():
            _print(path, findings)
    return 1 if any(one.severity == "error" for findings in found.values() for one in findings) else 0


def _findings(path: str, args: argparse.Namespace) -> list[Finding]:
    if args.keys or args.hmac_key:
        from fctry.cli.image_keys import read_image

        return findings_of(read_image(path, args), read_only=args.read_only, is_decrypted=True)
    try:
        with open(path, "rb") as file:  # noqa: PTH123  # pathlib would cost as much as the check
            image = file.read()
    except OSError as error:
        raise InputError(f"cannot read: {error.strerror}", hint="check the path", file=path) from None
    return findings_of(image, read_only=args.read_only)


def _print(path: str, findings: list[Finding]) -> None:
    hints: set[str] = set()
    counts: dict[str, int] = {}
    for one in findings:
        print(f"{path}: {one.severity.value}: {one.where}: {one.message} ({one.code})")
        if one.hint not in hints:
            print(f"  {one.hint}")
        hints.add(one.hint)
        counts[one.severity.value] = counts.get(one.severity.value, 0) + 1
    summary = ", ".join(f"{count} {severity}" for severity, count in counts.items())
    print(f"{path}: {summary or 'no findings'}")
