"""Show what the documents say of a finding, by its code, or a whole page. Without a topic: the pages that there are.

fctry docs layout-overlap
"""

from __future__ import annotations

import re
import sys
from difflib import get_close_matches
from importlib.resources import files

from fctry.cli.arguments import Argument, Arguments
from fctry.errors import InputError

PARAMETERS = (Argument("topic", required=False, help="code of a finding, or name of a page"),)
SECTION = re.compile(r"^### `([a-z0-9-]+)`\n.*?(?=^##|\Z)", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^\| .*?`([a-z0-9-]+)` \|.*\n", re.MULTILINE)
SITE_ONLY = ("api.md", "index.md")
CODE = re.compile(r"(?:layout|nvs|csv|spec)-[a-z0-9-]+")


def run(args: Arguments) -> int:
    pages = pages_of_package()
    if args.topic is None:
        for name, text in pages.items():
            print(f"{name:16} {text.splitlines()[0].lstrip('# ')}")
        return 0
    topics = pages | sections_of(pages)
    if args.topic not in topics:
        close = get_close_matches(args.topic, topics)
        meant = f"did you mean {', '.join(close)}?" if close else "`fctry docs` lists the pages"
        raise InputError(f"no document tells of {args.topic!r}", hint=meant)
    _print(topics[args.topic])
    return 0


def pages_of_package() -> dict[str, str]:
    """The text of each page, by its name."""
    found = sorted((files("fctry") / "docs").iterdir(), key=lambda file: file.name)
    return {
        file.name.removesuffix(".md"): file.read_text(encoding="utf-8")
        for file in found
        if file.name.endswith(".md") and file.name not in SITE_ONLY
    }


def sections_of(pages: dict[str, str]) -> dict[str, str]:
    """What is said of each code: its section, or its row in a table with the head of that table."""
    sections: dict[str, str] = {}
    for text in pages.values():
        sections |= {found[1]: found[0] for found in SECTION.finditer(text)}
        for row in ROW.finditer(text):
            if CODE.fullmatch(row[1]):
                table = text[: row.start()].rpartition("\n\n")[2].splitlines()
                sections.setdefault(row[1], "\n".join([*table[:2], row[0]]))
    return sections


def _print(text: str) -> None:
    text = re.sub(r"<a id=.*?></a>", "", text)
    if not sys.stdout.isatty():
        print(text.rstrip())
        return
    from rich.markdown import Markdown

    from fctry.cli.console import Console

    Console().print(Markdown(text))
