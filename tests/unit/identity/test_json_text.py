"""The ledger's JSON is what Python's encoder writes."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from fctry.identity.ledger.json_text import json_text

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
NAMES = st.text(max_size=4)
INNER = SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(NAMES, SCALARS, max_size=3)
VALUES = INNER | st.lists(INNER, max_size=2) | st.dictionaries(NAMES, INNER, max_size=2)


@given(st.dictionaries(NAMES, VALUES, max_size=3))
def test_text_is_that_of_the_encoder(value: dict[str, object]) -> None:
    assert json_text(value) == json.dumps(value)
