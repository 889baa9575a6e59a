"""Show a device that this spec would make. Nothing is handed out: the same values come again. Secrets are masked.

fctry spec show factory.toml
"""

from __future__ import annotations

from fctry.cli.arguments import Argument, Arguments, path
from fctry.cli.text import escaped, fitted
from fctry.identity.spec_example import example
from fctry.identity.spec_file import read_spec

MASK = "••••••••"


PARAMETERS = (Argument("spec", type=path, help="factory spec, such as factory.toml"),)


def run(args: Arguments) -> int:
    spec = read_spec(args.spec)
    draft = example(spec)
    rows = []
    for one in spec.fields:
        key = spec.public_names[one.name]
        text = MASK if one.name in draft.secrets else draft.public.get(key)
        rows.append(
            (one.name, one.type.value if one.namespace else "note", "(none)" if text is None else text)
        )
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    print(escaped(f"{spec.product}, an example device"))
    for name, kind, text in rows:
        print(fitted(escaped(f"{name:{widths[0]}}  {kind:{widths[1]}}  {text}")))
    return 0
