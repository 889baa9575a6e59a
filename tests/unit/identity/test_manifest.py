"""The manifest: what is in it is what the JSON encoder of Python would write, and what is read back."""

from __future__ import annotations

import csv
import io
import json

from hypothesis import given
from hypothesis import strategies as st

from fctry.identity.manifest import HEADER, Line, as_csv, as_json, parse_json

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
CELLS = TEXT.filter(
    lambda text: "\0" not in text
)  # as no string of NVS has one, and csv of Python 3.10 neither
LINES = st.builds(Line, st.integers(1, 10**6), TEXT, TEXT, st.dictionaries(TEXT, TEXT, max_size=4))


@given(LINES)
def test_line_is_what_the_json_encoder_writes(line: Line) -> None:
    written = as_json([line])
    assert written == json.dumps(line._asdict(), ensure_ascii=False) + "\n"
    assert parse_json(written) == line


def test_public_value_that_is_called_as_another_column_is_a_column_of_its_own() -> None:
    table = as_csv([Line(1, "a.bin", "ab", {"file": "f", "sn": "s"})], ("file", "sn"), with_header=True)
    (row,) = csv.DictReader(io.StringIO(table, newline=""))
    assert row == {"number": "1", "file": "a.bin", "sha256": "ab", "public.file": "f", "sn": "s"}


@given(st.lists(st.tuples(CELLS, CELLS), max_size=3))
def test_table_has_what_is_given_and_nothing_for_the_rest(values: list[tuple[str, str]]) -> None:
    lines = [Line(number, file, "ab", {"serial": text}) for number, (file, text) in enumerate(values, 1)]
    table = as_csv(lines, ("serial", "mac"), with_header=True)
    rows = list(csv.reader(io.StringIO(table, newline="")))
    assert rows == [
        [*HEADER, "serial", "mac"],
        *([str(one.number), one.file, one.sha256, one.fields["serial"], ""] for one in lines),
    ]
